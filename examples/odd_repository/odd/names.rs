//! Paths that many programs handle wrongly.

/// Names that are hard to read, to quote, to sort or to print.
pub(super) fn odd_names() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = [
        "with space",
        " leading and trailing ",
        "\"quoted\" and 'quoted'",
        "line\nbreak",
        "\ncommit 0123456789012345678901234567890123456789",
        "tab\tin\tname",
        ":100644 100644 M",
        "1\t2\tcount",
        "-",
        "--leading-dashes",
        ":(glob)**",
        "*?[a-z]",
        "back\\slash\\x41\\n",
        "größe/日本語/naïve",
        "e\u{301} is not é",
        "\u{1b}[31mred\u{7}",
        "\u{202e}txt.exe",
        "a/b/c/d/e/f/g/h/i/j/k/l/m",
        "dir.with.dots/...",
        "percent%41%00",
        "$HOME `id` $(id)",
        "HEAD",
        "CON.txt.",
    ]
    .map(|name| name.as_bytes().to_vec())
    .into();
    names.extend(
        [
            &b"latin1-caf\xe9"[..],
            b"\xff\xfe",
            b"half \xf0\x9f a face",
            b"\\xe9 \xe9",
        ]
        .map(<[u8]>::to_vec),
    );
    // Longer than an idempotency key may be, and than most file systems allow.
    names.push(vec!["long-path-component"; 60].join("/").into_bytes());
    names.push(vec![b'n'; 1000]);
    names
}

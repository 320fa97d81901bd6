//! Durations in the form `"30s"` or `"1h"`.

use syn::LitStr;

/// Reads a duration in milliseconds.
///
/// The result has 64 bits, because the generated code passes it to `Duration::from_millis`.
pub(crate) fn milliseconds(literal: &LitStr) -> syn::Result<u64> {
    let text = literal.value();
    let message = match parse(&text) {
        Some((number, factor)) => match number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(factor))
        {
            Some(milliseconds) => return Ok(milliseconds),
            None => format!("`{text}` is too long; the longest duration is `213503982334d`"),
        },
        None => format!(
            "`{text}` is not a duration; write a number and a unit: `500ms`, `30s`, `5m`, `1h`, `7d`"
        ),
    };
    Err(syn::Error::new(literal.span(), message))
}

/// Splits a duration into its number and the milliseconds per unit.
fn parse(text: &str) -> Option<(&str, u64)> {
    let digits = text.len()
        - text
            .trim_start_matches(|letter: char| letter.is_ascii_digit())
            .len();
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60 * 1_000,
        "h" => 60 * 60 * 1_000,
        "d" => 24 * 60 * 60 * 1_000,
        _ => return None,
    };
    (!number.is_empty()).then_some((number, factor))
}

#[cfg(test)]
mod tests {
    use super::milliseconds;
    use proc_macro2::Span;
    use syn::LitStr;

    fn read(text: &str) -> Result<u64, String> {
        milliseconds(&LitStr::new(text, Span::call_site())).map_err(|error| error.to_string())
    }

    #[test]
    fn every_unit_is_read() {
        assert_eq!(read("500ms"), Ok(500));
        assert_eq!(read("30s"), Ok(30_000));
        assert_eq!(read("5m"), Ok(300_000));
        assert_eq!(read("1h"), Ok(3_600_000));
        assert_eq!(read("7d"), Ok(604_800_000));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "1", "h", "1 hour", " 1h", "1h ", "-1s", "1.5h", "1H", "1h30m", "１h",
        ] {
            let message = read(text).expect_err(text);
            assert!(
                message.starts_with(&format!("`{text}` is not a duration; ")),
                "{message}"
            );
        }
    }

    #[test]
    fn the_longest_duration_is_named_where_one_is_longer() {
        assert!(read("213503982334d").is_ok());
        for text in ["213503982335d", "99999999999999999999ms"] {
            let message = read(text).expect_err(text);
            assert_eq!(
                message,
                format!("`{text}` is too long; the longest duration is `213503982334d`")
            );
        }
    }
}

//! Decides if a payload written with some fields can be read with others.

/// A field as it is spelled: `name: Type #[serde(attribute)]`.
struct Field<'a> {
    name: &'a str,
    spelled_type: &'a str,
    /// The content of each of serde's attributes.
    attributes: Vec<&'a str>,
}

impl<'a> Field<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(" #[serde(");
        let declared = parts.next().unwrap_or_default();
        let (name, spelled_type) = declared.split_once(": ").unwrap_or((declared, ""));
        Self {
            name,
            spelled_type,
            attributes: parts
                .map(|attribute| attribute.strip_suffix(")]").unwrap_or(attribute))
                .collect(),
        }
    }

    /// Returns the value of each attribute `key = "…"`, without quotes.
    fn values(&self, key: &str) -> impl Iterator<Item = &'a str> {
        self.attributes.iter().filter_map(move |attribute| {
            let value = attribute.strip_prefix(key)?.strip_prefix(" = \"")?;
            value.strip_suffix('"')
        })
    }

    /// Returns the name that is stored.
    fn key(&self) -> &'a str {
        self.values("rename").next().unwrap_or(self.name)
    }

    /// Returns `true` if the field is stored by its position instead of a name.
    fn is_positional(&self) -> bool {
        !self.name.is_empty() && self.name.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Returns `true` if the field reads a value stored under this name.
    fn reads(&self, key: &str) -> bool {
        self.key() == key || self.values("alias").any(|alias| alias == key)
    }

    /// Returns `true` if an attribute defines the value to use when the field is missing.
    fn has_default(&self) -> bool {
        self.attributes
            .iter()
            .any(|attribute| *attribute == "default" || attribute.starts_with("default = "))
    }

    /// Returns `true` if the field can be read when it is missing.
    fn may_be_missing(&self) -> bool {
        let is_option = ["Option<", "std::option::Option<", "core::option::Option<"]
            .iter()
            .any(|option| {
                let spelled = self.spelled_type.trim_start_matches("::");
                spelled.starts_with(option)
            });
        self.has_default()
            || self.attributes.contains(&"skip_deserializing")
            || (is_option && !self.is_positional() && self.in_the_way().is_empty())
    }

    /// Returns the attributes that change what is stored, except those that are compared by their meaning.
    fn in_the_way(&self) -> Vec<&'a str> {
        let understood = ["default", "alias = ", "rename = ", "skip_serializing_if = "];
        let mut others: Vec<&str> = self
            .attributes
            .iter()
            .copied()
            .filter(|attribute| !understood.iter().any(|start| attribute.starts_with(start)))
            .collect();
        others.sort_unstable();
        others
    }
}

/// Returns the differences that would not be read, or not as the same value; empty if there are none.
pub(super) fn differences(stored: &[String], code: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let (stored_attributes, stored) = split(stored.iter().map(String::as_str));
    let (code_attributes, code) = split(code.iter().copied());
    for attribute in stored_attributes
        .iter()
        .filter(|one| !code_attributes.contains(one))
    {
        found.push(format!("`{attribute}` is gone"));
    }
    for attribute in code_attributes
        .iter()
        .filter(|one| !stored_attributes.contains(one))
    {
        found.push(format!("`{attribute}` is new"));
    }
    if is_alone(&stored) != is_alone(&code) {
        let (was, is) = (shape(&stored), shape(&code));
        found.push(format!("it was stored as {was}, but is {is} now"));
        return found;
    }
    for field in &stored {
        match code.iter().find(|candidate| candidate.reads(field.key())) {
            Some(now) => found.extend(changes(field, now)),
            None => found.push(format!("`{}: {}` is gone", field.name, field.spelled_type)),
        }
    }
    for field in &code {
        let is_new = !stored.iter().any(|before| field.reads(before.key()));
        if is_new && !field.may_be_missing() {
            let Field {
                name, spelled_type, ..
            } = field;
            found.push(format!(
                "`{name}: {spelled_type}` is new, but has no `#[serde(default)]`"
            ));
        }
    }
    found
}

/// Returns the changes of one field.
fn changes(stored: &Field<'_>, code: &Field<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let name = code.name;
    if stored.spelled_type != code.spelled_type {
        let (was, is) = (stored.spelled_type, code.spelled_type);
        found.push(format!("`{name}` was `{was}`, but is `{is}` now"));
    }
    let (was, is) = (stored.in_the_way(), code.in_the_way());
    for attribute in was.iter().filter(|attribute| !is.contains(attribute)) {
        found.push(format!(
            "`{name}` had `#[serde({attribute})]`, but no longer has it"
        ));
    }
    for attribute in is.iter().filter(|attribute| !was.contains(attribute)) {
        found.push(format!(
            "`{name}` has `#[serde({attribute})]`, but did not have it"
        ));
    }
    if stored.has_default() && !code.may_be_missing() {
        found.push(format!(
            "`{name}` had `#[serde(default)]`, so stored events may lack it"
        ));
    }
    for alias in stored.values("alias").filter(|alias| !code.reads(alias)) {
        found.push(format!("`{name}` is no longer read as `{alias}`"));
    }
    found
}

/// Splits the lines into the attributes of the whole payload and the fields.
fn split<'a>(lines: impl Iterator<Item = &'a str>) -> (Vec<&'a str>, Vec<Field<'a>>) {
    let (attributes, fields): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("#["));
    (attributes, fields.into_iter().map(Field::parse).collect())
}

/// Returns `true` if the payload is the value of the only field.
fn is_alone(fields: &[Field<'_>]) -> bool {
    matches!(fields, [field] if field.is_positional())
}

/// Describes the form of a payload with such fields.
fn shape(fields: &[Field<'_>]) -> String {
    match fields {
        [field] if field.is_positional() => format!("a bare `{}`", field.spelled_type),
        [first, ..] if first.is_positional() => "a list of fields".to_owned(),
        _ => "named fields".to_owned(),
    }
}

/// Returns a type that reads the fields: its declaration, if it needs one, and its name.
pub(super) fn declaration(name: &str, fields: &[String]) -> (Option<String>, String) {
    let (attributes, fields) = split(fields.iter().map(String::as_str));
    let has_attributes = fields.iter().any(|field| !field.attributes.is_empty());
    let types = || fields.iter().map(|field| field.spelled_type);
    match fields.first() {
        Some(first) if first.is_positional() && !has_attributes => {
            let types: Vec<_> = types().collect();
            let list = types.join(", ");
            let spelled = if types.len() == 1 {
                list
            } else {
                format!("({list})")
            };
            return (None, spelled);
        }
        _ => {}
    }
    let mut lines = vec!["#[derive(serde::Deserialize)]".to_owned()];
    lines.extend(attributes.into_iter().map(str::to_owned));
    let is_positional = fields.first().is_some_and(Field::is_positional);
    let (open, close) = if is_positional {
        ("(", ");")
    } else {
        (" {", "}")
    };
    lines.push(format!("struct {name}{open}"));
    for field in &fields {
        lines.extend(
            field
                .attributes
                .iter()
                .map(|attribute| format!("    #[serde({attribute})]")),
        );
        lines.push(if is_positional {
            format!("    {},", field.spelled_type)
        } else {
            format!("    {}: {},", field.name, field.spelled_type)
        });
    }
    lines.push(close.to_owned());
    (Some(lines.join("\n")), name.to_owned())
}

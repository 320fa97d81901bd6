//! The guide lists each warning and each error that the library logs.

use crate::guide::table;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::path::Path;
use syn::visit::Visit;

/// The messages of warnings and errors, with their level.
#[derive(Default)]
struct Messages(BTreeSet<(String, &'static str)>);

impl Visit<'_> for Messages {
    fn visit_macro(&mut self, call: &syn::Macro) {
        let path: Vec<_> = call.path.segments.iter().collect();
        if let [module, name] = &path[..]
            && module.ident == "tracing"
        {
            let level = match name.ident.to_string().as_str() {
                "warn" => "warning",
                "error" => "error",
                _ => return,
            };
            let message = last_text(call.tokens.clone()).expect("a message");
            self.0.insert((message, level));
        }
    }
}

/// The message is the last text of the macro.
fn last_text(tokens: TokenStream) -> Option<String> {
    let texts = tokens.into_iter().filter_map(|token| match token {
        TokenTree::Literal(literal) => syn::parse_str::<syn::LitStr>(&literal.to_string()).ok(),
        _ => None,
    });
    texts.last().map(|text| text.value())
}

fn visit(folder: &Path, messages: &mut Messages) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, messages);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let code = std::fs::read_to_string(&path).unwrap();
            messages.visit_file(&syn::parse_file(&code).unwrap());
        }
    }
}

#[test]
fn the_guide_lists_every_warning_and_every_error() {
    let mut messages = Messages::default();
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../eventlogs/src");
    visit(Path::new(sources), &mut messages);
    let rows = table(&["Message", "Level", "What to do"]);
    let listed: BTreeSet<_> = rows
        .iter()
        .map(|row| (row[0].clone(), row[1].as_str()))
        .collect();
    assert_eq!(messages.0, listed);
}

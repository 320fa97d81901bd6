//! Reads files into a [`Tree`].

use crate::tokens::{self, Found};
use crate::tree::{Id, Mention, Module, Path, ROOT, Tree, Use};
use crate::{attributes, imports};
use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, ExprCall, ImplItem, Item, ItemExternCrate, ItemMacro, ItemMod, ItemUse,
    Macro, Meta, TraitItem, UseTree, Visibility,
};

/// Walks through the code of all modules, one after the other.
pub(crate) struct Reader<'a> {
    source: &'a dyn Fn(&str) -> Option<String>,
    tree: Tree,
    mistakes: Vec<String>,
    module: Id,
    in_body: bool,
}

impl<'a> Reader<'a> {
    /// Creates a reader that knows only an empty `lib.rs`.
    pub(crate) fn new(source: &'a dyn Fn(&str) -> Option<String>) -> Self {
        let root = Module {
            file: "lib.rs".to_owned(),
            ..Module::default()
        };
        Self {
            source,
            tree: Tree {
                modules: vec![root],
                own_names: Vec::new(),
            },
            mistakes: Vec::new(),
            module: ROOT,
            in_body: false,
        }
    }

    /// Returns the tree, or the error found while reading.
    pub(crate) fn finish(self) -> Result<Tree, String> {
        if self.mistakes.is_empty() {
            Ok(self.tree)
        } else {
            Err(self.mistakes.join("\n"))
        }
    }

    /// Reads the file of a module, and those of the modules that it declares.
    pub(crate) fn read_file(&mut self, module: Id, file: &str) {
        let Some(text) = (self.source)(file) else {
            let mistake = format!("{file} is missing; `mod.rs` files are not used here");
            return self.mistakes.push(mistake);
        };
        match syn::parse_file(&text) {
            Ok(code) => self.read_items(module, &code.items),
            Err(error) => self.mistakes.push(format!("{file}: {error}")),
        }
    }

    fn read_items(&mut self, module: Id, items: &[Item]) {
        let outer = (self.module, self.in_body);
        (self.module, self.in_body) = (module, false);
        for item in items {
            self.visit_item(item);
        }
        (self.module, self.in_body) = outer;
    }

    fn here(&mut self) -> &mut Module {
        &mut self.tree.modules[self.module]
    }

    fn define(&mut self, item: &Item) {
        let module = self.module;
        if let Some(name) = attributes::name(item) {
            let exported = attributes::is_exported_macro(item);
            let home = if exported { ROOT } else { module };
            self.tree.modules[home].items.insert(name.clone(), module);
            if matches!(item, Item::Macro(_)) {
                self.here().textual_macros.push(name);
            }
        }
    }

    fn mention(&mut self, path: Path, of_user: bool) {
        self.here().mentions.push(Mention { path, of_user });
    }

    fn import(&mut self, rooted: bool, tree: &UseTree, reexport: bool) {
        let local = self.in_body;
        for (path, name) in imports::flattened(rooted, tree) {
            self.here().uses.push(Use {
                path,
                name,
                reexport: reexport && !local,
                local,
            });
        }
    }

    /// Reads the tokens of a macro, which cannot be parsed.
    fn scan(&mut self, tokens: TokenStream) {
        let outer = std::mem::replace(&mut self.in_body, true);
        for found in tokens::paths(tokens) {
            match found {
                Found::Path(path) => self.mention(path, false),
                Found::Use(rooted, tree) => self.import(rooted, &tree, false),
            }
        }
        self.in_body = outer;
    }

    /// Reads the tokens of an exported macro. Only `$crate` leads into this crate; other paths belong to the user's crate.
    fn scan_exported(&mut self, tokens: TokenStream) {
        for found in tokens::paths(tokens) {
            let paths = match found {
                Found::Path(path) => vec![path],
                Found::Use(rooted, tree) => {
                    let imports = imports::flattened(rooted, &tree);
                    imports.into_iter().map(|(path, _)| path).collect()
                }
            };
            for path in paths.into_iter().filter(|path| path[0] == "crate") {
                self.mention(path, true);
            }
        }
    }
}

impl Visit<'_> for Reader<'_> {
    fn visit_item(&mut self, item: &Item) {
        if attributes::is_for_tests(attributes::of(item)) {
            return;
        }
        if !self.in_body {
            self.define(item);
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &ImplItem) {
        if !attributes::is_for_tests(attributes::of_impl(item)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &TraitItem) {
        if !attributes::is_for_tests(attributes::of_trait(item)) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &ItemMod) {
        let name = tokens::plain(&item.ident);
        if item
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("path"))
        {
            let file = &self.tree.modules[self.module].file;
            let mistake =
                format!("{file}: `mod {name}` has a `#[path]`, which this check cannot follow");
            return self.mistakes.push(mistake);
        }
        let parent = &self.tree.modules[self.module];
        let mut path = parent.path.clone();
        path.push(name.clone());
        let file = match item.content {
            Some(_) => parent.file.clone(),
            None => format!("{}.rs", path.join("/")),
        };
        let child = Module {
            path,
            file: file.clone(),
            parent: Some(self.module),
            ..Module::default()
        };
        let id = self.tree.modules.len();
        self.tree.modules.push(child);
        self.here().children.insert(name, id);
        match &item.content {
            Some((_, items)) => self.read_items(id, items),
            None => self.read_file(id, &file),
        }
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        let reexport = !matches!(item.vis, Visibility::Inherited);
        self.import(item.leading_colon.is_some(), &item.tree, reexport);
    }

    fn visit_item_extern_crate(&mut self, item: &ItemExternCrate) {
        if let ("self", Some((_, name))) = (item.ident.to_string().as_str(), &item.rename) {
            self.tree.own_names.push(name.to_string());
        }
    }

    fn visit_item_macro(&mut self, item: &ItemMacro) {
        if item.ident.is_none() {
            visit::visit_item_macro(self, item);
        } else if attributes::exports(&item.attrs) {
            self.scan_exported(item.mac.tokens.clone());
        } else {
            self.scan(item.mac.tokens.clone());
        }
    }

    fn visit_macro(&mut self, call: &Macro) {
        self.mention(tokens::segments(&call.path), false);
        self.scan(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
        }
    }

    // `pub(in crate::stores)` imports nothing.
    fn visit_visibility(&mut self, _: &Visibility) {}

    fn visit_block(&mut self, block: &Block) {
        let outer = std::mem::replace(&mut self.in_body, true);
        visit::visit_block(self, block);
        self.in_body = outer;
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        if let Expr::Path(function) = &*call.func
            && function.path.get_ident().is_some()
        {
            self.mention(tokens::segments(&function.path), false);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let segments = tokens::segments(path);
        if tokens::may_be_imported(&segments) {
            self.mention(segments, false);
        }
        visit::visit_path(self, path);
    }
}

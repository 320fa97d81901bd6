//! The modules of a crate, read from its files: what each defines, imports and mentions. Code for tests is left out.

use crate::reader::Reader;
use std::collections::BTreeMap;

/// The place of a module in [`Tree::modules`]; that of `lib.rs` is [`ROOT`].
pub(crate) type Id = usize;

/// `lib.rs`.
pub(crate) const ROOT: Id = 0;

/// A path as it is written, such as `["crate", "stores", "Page"]`; `"::"` stands first where it leads out of the crate,
/// and `$crate` is `crate`.
pub(crate) type Path = Vec<String>;

/// All modules of one crate.
pub(crate) struct Tree {
    /// Parents come before their children.
    pub(crate) modules: Vec<Module>,
    /// The names that the crate gives itself (`extern crate self as …`).
    pub(crate) own_names: Vec<String>,
}

/// One module, with a file of its own or written inside another one.
#[derive(Default)]
pub(crate) struct Module {
    /// Empty for `lib.rs`.
    pub(crate) path: Path,
    /// Below `src`, such as `stores/fake.rs`.
    pub(crate) file: String,
    pub(crate) parent: Option<Id>,
    pub(crate) children: BTreeMap<String, Id>,
    /// What can be imported from here, and the module whose file defines it: another one only for exported macros,
    /// which all live in `lib.rs`.
    pub(crate) items: BTreeMap<String, Id>,
    /// Macros that reach the modules below by standing before them.
    pub(crate) textual_macros: Vec<String>,
    pub(crate) uses: Vec<Use>,
    pub(crate) mentions: Vec<Mention>,
}

/// One name of a `use`.
pub(crate) struct Use {
    pub(crate) path: Path,
    /// What it is called here; nothing for a glob.
    pub(crate) name: Option<String>,
    /// It can be imported from here.
    pub(crate) reexport: bool,
    /// It stands inside a function.
    pub(crate) local: bool,
}

/// A path in the middle of code.
pub(crate) struct Mention {
    pub(crate) path: Path,
    /// It belongs to an exported macro. That is a user's code, which can only name what is public.
    pub(crate) of_user: bool,
}

impl Tree {
    /// Reads a crate. `source` gives the text of a file below `src`.
    pub(crate) fn read(source: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut reader = Reader::new(source);
        reader.read_file(ROOT, "lib.rs");
        reader.finish()
    }

    /// Whether a module is `ancestor` or lies in it.
    pub(crate) fn is_within(&self, module: Id, ancestor: Id) -> bool {
        let path = &self.modules[ancestor].path;
        self.modules[module].path.starts_with(path)
    }

    /// The path of an item, without `crate::`.
    pub(crate) fn name_of(&self, module: Id, item: &str) -> String {
        let mut path = self.modules[module].path.clone();
        path.push(item.to_owned());
        path.join("::")
    }
}

//! The modules of a crate, read from its files: the items that each defines, imports and mentions. Test code is left out.

use crate::reader::Reader;
use std::collections::BTreeMap;

/// The index of a module in [`Tree::modules`]; that of `lib.rs` is [`ROOT`].
pub(crate) type Id = usize;

/// The index of `lib.rs`.
pub(crate) const ROOT: Id = 0;

/// A path as it is written, such as `["crate", "stores", "Page"]`. It begins with `"::"` if it leads out of the crate, and
/// `$crate` is `crate`.
pub(crate) type Path = Vec<String>;

/// All modules of one crate.
pub(crate) struct Tree {
    /// The modules; parents come before their children.
    pub(crate) modules: Vec<Module>,
    /// The names that the crate gives itself (`extern crate self as …`).
    pub(crate) own_names: Vec<String>,
}

/// One module, with a file of its own or written inside another one.
#[derive(Default)]
pub(crate) struct Module {
    /// The path of the module, empty for `lib.rs`.
    pub(crate) path: Path,
    /// The path of the file below `src`, such as `stores/fake.rs`.
    pub(crate) file: String,
    pub(crate) parent: Option<Id>,
    pub(crate) children: BTreeMap<String, Id>,
    /// The items that can be imported from here, with the module whose file defines them. That is another module only for
    /// exported macros, which all belong to `lib.rs`.
    pub(crate) items: BTreeMap<String, Id>,
    /// The macros that reach the modules below, because they are declared before them.
    pub(crate) textual_macros: Vec<String>,
    pub(crate) uses: Vec<Use>,
    pub(crate) mentions: Vec<Mention>,
}

/// One name of a `use`.
pub(crate) struct Use {
    pub(crate) path: Path,
    /// Its name here; `None` for a glob.
    pub(crate) name: Option<String>,
    /// `true` if it can be imported from here.
    pub(crate) reexport: bool,
    /// `true` if it is inside a function.
    pub(crate) local: bool,
}

/// A path in the middle of code.
pub(crate) struct Mention {
    pub(crate) path: Path,
    /// `true` in an exported macro, whose code is expanded in the user's crate and can name only public items.
    pub(crate) of_user: bool,
}

impl Tree {
    /// Reads a crate. `source` returns the text of a file below `src`.
    pub(crate) fn read(source: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut reader = Reader::new(source);
        reader.read_file(ROOT, "lib.rs");
        reader.finish()
    }

    /// Returns `true` if a module is `ancestor` or inside it.
    pub(crate) fn is_within(&self, module: Id, ancestor: Id) -> bool {
        let path = &self.modules[ancestor].path;
        self.modules[module].path.starts_with(path)
    }

    /// Returns the path of an item, without `crate::`.
    pub(crate) fn name_of(&self, module: Id, item: &str) -> String {
        let mut path = self.modules[module].path.clone();
        path.push(item.to_owned());
        path.join("::")
    }
}

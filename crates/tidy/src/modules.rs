//! The modules of a crate: which file each is in, what it defines, what it imports and which names it uses.

use std::collections::{BTreeMap, BTreeSet};

use crate::token::{Token, matching};
use crate::workspace::Crate;

/// Index of a module in [`Modules::all`].
pub(crate) type ModuleId = usize;

/// Every module of a crate.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    pub all: Vec<Module>,
    /// Names of `macro_rules!` and the module that each is defined in.
    pub macros: BTreeMap<String, ModuleId>,
}

/// One module, in a file of its own or inline in its parent's.
#[derive(Debug)]
pub(crate) struct Module {
    /// Path in `src`.
    pub file: String,
    pub parent: Option<ModuleId>,
    /// Whether it is the whole file, and not a part of it.
    pub is_file: bool,
    pub children: BTreeMap<String, ModuleId>,
    /// Names of the items that it defines, associated items left out.
    pub items: BTreeSet<String>,
    pub uses: Vec<Use>,
    /// Paths of two names or more outside of `use`.
    pub paths: Vec<(Vec<String>, usize)>,
    /// Every other name outside of `use` that may mean an item, and its first line.
    pub names: BTreeMap<String, usize>,
    /// Names of called macros, and the first line of each.
    pub macro_calls: BTreeMap<String, usize>,
}

/// One name that a `use` brings in.
#[derive(Debug)]
pub(crate) struct Use {
    pub path: Vec<String>,
    pub binding: Binding,
    pub is_public: bool,
    pub line: usize,
}

/// What a `use` calls its item.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    Name(String),
    /// `use a::*`.
    Glob,
    /// `use a::Trait as _`.
    Nothing,
}

impl Modules {
    /// Reads the modules of every root: the library and the binaries.
    pub fn of(member: &Crate) -> Self {
        let mut modules = Self::default();
        for file in &member.files {
            if is_root(&file.path) {
                let folder = folder_of(&file.path);
                modules.add_file(member, &file.path, folder, None);
            }
        }
        modules
    }

    /// The module of the whole file that `module` is in.
    pub fn file_module(&self, mut module: ModuleId) -> ModuleId {
        while let (false, Some(parent)) = (self.all[module].is_file, self.all[module].parent) {
            module = parent;
        }
        module
    }

    pub fn root(&self, mut module: ModuleId) -> ModuleId {
        while let Some(parent) = self.all[module].parent {
            module = parent;
        }
        module
    }

    /// Whether `module` lies in `ancestor`, at any depth.
    pub fn is_inside(&self, module: ModuleId, ancestor: ModuleId) -> bool {
        let mut parent = self.all[module].parent;
        while let Some(module) = parent {
            if module == ancestor {
                return true;
            }
            parent = self.all[module].parent;
        }
        false
    }

    fn add(&mut self, file: &str, parent: Option<ModuleId>, is_file: bool) -> ModuleId {
        self.all.push(Module {
            file: file.to_owned(),
            parent,
            is_file,
            children: BTreeMap::new(),
            items: BTreeSet::new(),
            uses: Vec::new(),
            paths: Vec::new(),
            names: BTreeMap::new(),
            macro_calls: BTreeMap::new(),
        });
        self.all.len() - 1
    }

    /// `folder` is where the files of its submodules are.
    fn add_file(&mut self, member: &Crate, path: &str, folder: String, parent: Option<ModuleId>) -> ModuleId {
        let module = self.add(path, parent, true);
        if let Some(file) = member.file(path) {
            Reader { member, modules: self, tokens: &file.tokens, position: 0 }.module(module, &folder, true);
        }
        module
    }
}

/// `lib.rs`, `main.rs`, `bin/x.rs` or `bin/x/main.rs`.
fn is_root(path: &str) -> bool {
    match path.strip_prefix("bin/") {
        Some(binary) => {
            !binary.contains('/') || binary.ends_with("/main.rs") && binary.matches('/').count() == 1
        }
        None => path == "lib.rs" || path == "main.rs",
    }
}

/// The folder of a file's submodules, with a `/` at its end unless it is `src` itself.
fn folder_of(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder,
        // A binary of one file has its modules beside it.
        _ if folder == "bin/" => folder,
        _ => format!("{folder}{}/", name.trim_end_matches(".rs")),
    }
}

/// What stands between a pair of braces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Items: a module, or the list that a macro such as `components!` makes items of.
    Items,
    /// `macro_rules!`: what it defines gets its names where it is called.
    MacroRules,
    /// Anything else.
    Body,
}

struct Reader<'a> {
    member: &'a Crate,
    modules: &'a mut Modules,
    tokens: &'a [Token],
    position: usize,
}

impl Reader<'_> {
    fn token(&self, offset: isize) -> Option<&Token> {
        self.tokens.get(self.position.checked_add_signed(offset)?)
    }

    fn next_is(&self, offset: isize, text: &str) -> bool {
        self.token(offset).is_some_and(|token| token.is(text))
    }

    fn word(&self, offset: isize) -> Option<String> {
        self.token(offset).filter(|token| token.is_word()).map(|token| token.text.clone())
    }

    /// Reads a module up to the brace that ends it, or to the end of the file.
    fn module(&mut self, module: ModuleId, folder: &str, is_file: bool) {
        let mut braces: Vec<Inside> = Vec::new();
        while let Some(token) = self.tokens.get(self.position) {
            if token.is("{") {
                let inside = self.opened();
                braces.push(inside);
                self.position += 1;
            } else if token.is("}") {
                self.position += 1;
                if braces.pop().is_none() && !is_file {
                    return;
                }
            } else if token.is_word() {
                let has_items = braces.iter().all(|inside| *inside == Inside::Items);
                let in_rules = braces.contains(&Inside::MacroRules);
                self.word_in(module, folder, has_items, in_rules);
            } else {
                self.position += 1;
            }
        }
    }

    /// What the brace at the current position holds.
    fn opened(&self) -> Inside {
        let is_macro = self.next_is(-1, "!") || self.next_is(-2, "!");
        match is_macro {
            true if self.next_is(-3, "macro_rules") => Inside::MacroRules,
            true if self.next_is(-1, "!") => Inside::Items,
            _ => Inside::Body,
        }
    }

    fn word_in(&mut self, module: ModuleId, folder: &str, has_items: bool, in_rules: bool) {
        let Some(word) = self.word(0) else { return };
        match word.as_str() {
            "use" => self.use_item(module),
            "mod" if has_items && self.word(1).is_some() => self.mod_item(module, folder),
            "macro_rules" if self.next_is(1, "!") => {
                if let Some(name) = self.word(2) {
                    self.modules.macros.insert(name.clone(), module);
                    self.modules.all[module].items.insert(name);
                }
                self.position += 3;
            }
            "struct" | "enum" | "union" | "trait" | "fn" | "type" | "const" | "static" => {
                let offset = if self.next_is(1, "mut") { 2 } else { 1 };
                let name = self
                    .word(offset)
                    .filter(|name| !["fn", "unsafe", "extern", "async"].contains(&name.as_str()));
                match name {
                    Some(name) => {
                        if has_items && !in_rules {
                            self.modules.all[module].items.insert(name);
                        }
                        self.position += 1 + offset as usize;
                    }
                    None => self.position += 1,
                }
            }
            "pub" if self.next_is(1, "(") => self.position = self.behind_pub(),
            _ => self.path(module),
        }
    }

    /// The position behind `pub(...)`, or behind `pub` where a tuple's field begins with a bracket.
    fn behind_pub(&self) -> usize {
        let restricts = ["crate", "super", "self", "in"].iter().any(|word| self.next_is(2, word));
        if restricts { matching(self.tokens, self.position + 1) } else { self.position + 1 }
    }

    fn mod_item(&mut self, module: ModuleId, folder: &str) {
        let Some(name) = self.word(1) else { return };
        let child = if self.next_is(2, "{") {
            let file = self.modules.all[module].file.clone();
            let child = self.modules.add(&file, Some(module), false);
            self.position += 3;
            self.module(child, &format!("{folder}{name}/"), false);
            Some(child)
        } else {
            // Files elsewhere, that `#[path = ".."]` names, are of no concern here.
            let candidates = [format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")];
            let path = candidates.into_iter().find(|path| self.member.file(path).is_some());
            self.position += 3;
            path.map(|path| {
                let inner = format!("{folder}{name}/");
                self.modules.add_file(self.member, &path, inner, Some(module))
            })
        };
        if let Some(child) = child {
            self.modules.all[module].children.insert(name, child);
        }
    }

    fn use_item(&mut self, module: ModuleId) {
        // `pub use`, `pub(crate) use`; in a precise capture, `impl Trait + use<'a>`, there is no path.
        let is_public = self.next_is(-1, "pub") || self.next_is(-1, ")");
        self.position += 1;
        if self.next_is(0, "<") {
            return;
        }
        let mut uses = Vec::new();
        self.use_tree(&mut Vec::new(), is_public, &mut uses);
        self.modules.all[module].uses.extend(uses);
    }

    /// Reads `a::b`, `a::{b, c as d}`, `a::*` up to the comma, brace or semicolon behind it.
    fn use_tree(&mut self, before: &mut Vec<String>, is_public: bool, uses: &mut Vec<Use>) {
        let depth = before.len();
        let line = self.token(0).map_or(0, |token| token.line);
        while let Some(token) = self.tokens.get(self.position) {
            if token.is("{") {
                self.position += 1;
                while !self.next_is(0, "}") && self.position < self.tokens.len() {
                    self.use_tree(before, is_public, uses);
                    if self.next_is(0, ",") {
                        self.position += 1;
                    }
                }
                self.position += 1;
                before.truncate(depth);
                return;
            }
            if token.is("*") {
                self.position += 1;
                uses.push(Use { path: before.clone(), binding: Binding::Glob, is_public, line });
                before.truncate(depth);
                return;
            }
            if token.is_word() && !token.is("as") {
                before.push(token.text.clone());
                self.position += 1;
            } else if token.is("::") || token.is("$") {
                self.position += 1;
            } else {
                break;
            }
        }
        // `a::{self}` is `a`.
        if before.len() > 1 && before.last().is_some_and(|name| name == "self") {
            before.pop();
        }
        let mut binding = before.last().cloned().map_or(Binding::Nothing, Binding::Name);
        if self.next_is(0, "as") {
            binding = self.word(1).filter(|name| name != "_").map_or(Binding::Nothing, Binding::Name);
            self.position += 2;
        }
        if before.is_empty() {
            // Not a path: do not stand still.
            self.position += 1;
        } else {
            uses.push(Use { path: before.clone(), binding, is_public, line });
        }
        before.truncate(depth.min(before.len()));
    }

    /// A name, or a path of several.
    fn path(&mut self, module: ModuleId) {
        let Some(first) = self.token(0) else { return };
        let line = first.line;
        let is_member = self.next_is(-1, ".");
        let is_absolute = self.next_is(-1, "::");
        let mut path = vec![first.text.clone()];
        self.position += 1;
        while self.next_is(0, "::") {
            let Some(name) = self.word(1) else { break };
            path.push(name);
            self.position += 2;
        }
        let is_call_of_macro = self.next_is(0, "!") && !self.next_is(1, "=");
        let module = &mut self.modules.all[module];
        if is_member || is_absolute {
            return;
        }
        if path.len() > 1 {
            module.paths.push((path, line));
        } else if let Some(name) = path.pop() {
            let names = if is_call_of_macro { &mut module.macro_calls } else { &mut module.names };
            names.entry(name).or_insert(line);
        }
    }
}

impl Use {
    pub fn binds(&self, name: &str) -> bool {
        matches!(&self.binding, Binding::Name(bound) if bound == name)
    }
}

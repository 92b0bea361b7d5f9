//! Which file uses what another file defines.

use std::collections::BTreeMap;

use crate::circle::Arrow;
use crate::modules::{Binding, ModuleId, Modules, Use};
use crate::resolve::Target;
use crate::workspace::Crate;

/// The imports between the files of a crate.
///
/// A file imports another if it names an item that the other defines, in a `use` or in a path. `mod x;` is no
/// import, and neither is a parent's `pub use x::Y`, unless the parent's own code uses `Y`. Methods are not
/// looked at: they belong to the type that is named.
#[derive(Debug)]
pub struct Imports {
    /// One arrow from a file to another, with the first line that makes it.
    pub arrows: Vec<Arrow>,
}

impl Imports {
    /// Finds them.
    pub fn of(member: &Crate) -> Self {
        let modules = Modules::of(member);
        let mut found = Found { modules: &modules, arrows: BTreeMap::new() };
        for module in 0..modules.all.len() {
            found.of_module(module);
        }
        let arrows = found.arrows.into_iter().map(|((from, to), line)| Arrow { from, to, line }).collect();
        Self { arrows }
    }
}

struct Found<'a> {
    modules: &'a Modules,
    arrows: BTreeMap<(String, String), usize>,
}

impl Found<'_> {
    fn of_module(&mut self, module: ModuleId) {
        let modules = self.modules;
        let here = &modules.all[module];
        for item in &here.uses {
            match (modules.resolve(module, &item.path), &item.binding) {
                (Some(Target::Module(other)), Binding::Glob) => self.of_glob(module, other),
                (Some(Target::ItemOf(owner)), binding) => self.of_use(module, owner, item, binding),
                // A module itself: its items are named where they are used.
                (Some(Target::Module(_)) | None, _) => {}
            }
        }
        for (path, line) in &here.paths {
            if let Some(Target::ItemOf(owner)) = modules.resolve(module, path) {
                self.add(module, owner, *line);
            }
        }
        for (name, line) in &here.macro_calls {
            let owner = match modules.resolve(module, std::slice::from_ref(name)) {
                Some(Target::ItemOf(owner)) => Some(owner),
                _ => modules.macros.get(name).copied(),
            };
            if let Some(owner) = owner {
                self.add(module, owner, *line);
            }
        }
    }

    fn of_use(&mut self, module: ModuleId, owner: ModuleId, item: &Use, binding: &Binding) {
        let modules = self.modules;
        let is_reexport = item.is_public && modules.is_inside(owner, modules.file_module(module));
        match binding {
            Binding::Name(name) if is_reexport => {
                if let Some(line) = modules.all[module].names.get(name) {
                    self.add(module, owner, *line);
                }
            }
            _ if is_reexport => {}
            _ => self.add(module, owner, item.line),
        }
    }

    /// `use other::*`: the names that are used and that `other` knows.
    fn of_glob(&mut self, module: ModuleId, other: ModuleId) {
        let modules = self.modules;
        let here = &modules.all[module];
        for (name, line) in here.names.iter().chain(&here.macro_calls) {
            let is_own = here.items.contains(name) || here.uses.iter().any(|item| item.binds(name));
            let path = [name.clone()];
            if let (false, Some(Target::ItemOf(owner))) = (is_own, modules.resolve(other, &path)) {
                self.add(module, owner, *line);
            }
        }
    }

    fn add(&mut self, module: ModuleId, owner: ModuleId, line: usize) {
        let (from, to) = (&self.modules.all[module].file, &self.modules.all[owner].file);
        if from != to {
            let first = self.arrows.entry((from.clone(), to.clone())).or_insert(line);
            *first = line.min(*first);
        }
    }
}

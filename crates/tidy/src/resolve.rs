//! Which module's item a path means.

use crate::modules::{Binding, ModuleId, Modules};

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Module(ModuleId),
    /// An item that this module defines.
    ItemOf(ModuleId),
}

/// Imports that lead through more imports than this go in a circle themselves.
const MAX_STEPS: usize = 32;

impl Modules {
    /// What `path`, written in `module`, leads to; none for other crates' items and for local names.
    pub fn resolve(&self, module: ModuleId, path: &[String]) -> Option<Target> {
        self.follow(module, path, MAX_STEPS)
    }

    fn follow(&self, module: ModuleId, path: &[String], steps: usize) -> Option<Target> {
        let (first, mut rest) = path.split_first()?;
        let mut target = match first.as_str() {
            "crate" => Target::Module(self.root(module)),
            "self" => Target::Module(module),
            "super" => Target::Module(self.all[module].parent?),
            name => self.look_up(module, name, steps.checked_sub(1)?)?,
        };
        while let (Target::Module(module), Some((name, behind))) = (target, rest.split_first()) {
            target = match name.as_str() {
                "super" => Target::Module(self.all[module].parent?),
                // A name that a macro makes is in no list: it is the module's that it is asked of.
                name => match self.look_up(module, name, steps.checked_sub(1)?) {
                    Some(target) => target,
                    None if self.imports_from_outside(module, name) => return None,
                    None => Target::ItemOf(module),
                },
            };
            rest = behind;
        }
        Some(target)
    }

    /// A name in the scope of a module: its submodule, its item, or what it imports.
    fn look_up(&self, module: ModuleId, name: &str, steps: usize) -> Option<Target> {
        let here = &self.all[module];
        if let Some(child) = here.children.get(name) {
            // A function may have its module's name; then the function is what is imported.
            let imported = here.uses.iter().find(|item| item.binds(name) && item.path.len() > 1);
            return match imported {
                Some(item) if steps > 0 => {
                    self.follow(module, &item.path, steps).or(Some(Target::Module(*child)))
                }
                _ => Some(Target::Module(*child)),
            };
        }
        if here.items.contains(name) {
            return Some(Target::ItemOf(module));
        }
        // `use burn;` binds its own first name: that is another crate.
        let imported = here.uses.iter().find(|item| item.binds(name) && item.path[0] != name);
        if let Some(item) = imported {
            return self.follow(module, &item.path, steps.checked_sub(1)?);
        }
        here.uses.iter().filter(|item| item.binding == Binding::Glob).find_map(|item| {
            match self.follow(module, &item.path, steps.checked_sub(1)?)? {
                Target::Module(other) if other != module => self.look_up(other, name, steps.checked_sub(1)?),
                // The variants of an enum.
                _ => None,
            }
        })
    }

    fn imports_from_outside(&self, module: ModuleId, name: &str) -> bool {
        self.all[module].uses.iter().any(|item| item.binds(name))
    }
}

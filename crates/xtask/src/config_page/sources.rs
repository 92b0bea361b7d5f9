//! What the sources say of configs: fields with their types and doc comments, values of enums, lists of components.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Fields, Item, Lit, LitStr, Meta, Token, Type, braced, parenthesized};

use crate::failure::Failure;

/// The crates whose types configs are made of.
const CRATES: [&str; 4] = ["firebrick-train", "firebrick-data", "firebrick-loss", "firebrick-models"];

/// Everything that the page needs, by name.
#[derive(Default)]
pub struct Sources {
    structs: BTreeMap<String, Struct>,
    enums: BTreeMap<String, Vec<Documented>>,
    families: BTreeMap<String, Vec<Member>>,
    /// Comments at the top of files, by path from `crates` on.
    tops: BTreeMap<String, String>,
}

/// A struct whose fields are keys.
pub struct Struct {
    pub doc: String,
    /// The comment at the top of its file.
    pub top: String,
    pub fields: Vec<Field>,
}

#[derive(Clone)]
pub struct Field {
    pub key: String,
    pub doc: String,
    pub kind: Type,
}

/// A word and what it means.
pub struct Documented {
    pub name: String,
    pub doc: String,
}

/// A line of a family's list.
#[derive(Clone)]
pub struct Member {
    pub name: String,
    pub doc: String,
    /// The struct of its arguments.
    pub arguments: String,
}

impl Sources {
    /// Reads the crates under `root`.
    pub fn read(root: &Path) -> Result<Self, Failure> {
        let mut sources = Self::default();
        for name in CRATES {
            sources.folder(&root.join("crates").join(name).join("src"))?;
        }
        Ok(sources)
    }

    pub fn structure(&self, name: &str) -> Result<&Struct, Failure> {
        self.structs
            .get(name)
            .ok_or_else(|| format!("the sources have no struct {name} that serde reads").into())
    }

    pub fn has_structure(&self, name: &str) -> bool {
        self.structs.contains_key(name)
    }

    pub fn values(&self, name: &str) -> Option<&[Documented]> {
        self.enums.get(name).map(Vec::as_slice)
    }

    pub fn family(&self, name: &str) -> Result<&[Member], Failure> {
        let members = self.families.get(name).map(Vec::as_slice);
        members.ok_or_else(|| format!("the sources have no list of components {name}").into())
    }

    /// The comment at the top of a file.
    pub fn top(&self, file: &str) -> Result<&str, Failure> {
        self.tops.get(file).map(String::as_str).ok_or_else(|| format!("no file crates/{file}").into())
    }

    fn folder(&mut self, folder: &Path) -> Result<(), Failure> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.folder(&path)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)?;
                let file = syn::parse_file(&text).map_err(|error| format!("{}: {error}", path.display()))?;
                let top = doc(&file.attrs);
                file.items.iter().try_for_each(|item| self.item(item, &top))?;
                let place = path.iter().skip_while(|part| *part != "crates").skip(1);
                let place: Vec<_> = place.map(|part| part.to_string_lossy()).collect();
                self.tops.insert(place.join("/"), top);
            }
        }
        Ok(())
    }

    fn item(&mut self, item: &Item, top: &str) -> Result<(), Failure> {
        match item {
            // `ModelSection` reads itself: its own keys stand beside the network's.
            Item::Struct(found) if derives(&found.attrs, "Deserialize") || found.ident == "ModelSection" => {
                let Fields::Named(named) = &found.fields else { return Ok(()) };
                let fields = named.named.iter().filter_map(field).collect();
                let made = Struct { doc: doc(&found.attrs), top: top.to_owned(), fields };
                if self.structs.insert(found.ident.to_string(), made).is_some() {
                    return Err(format!("two structs are called {}: rename one", found.ident).into());
                }
            }
            Item::Enum(found) if derives(&found.attrs, "Serialize") => {
                let is_plain = found.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit));
                let values = found.variants.iter().map(|variant| {
                    let name = rename(&variant.attrs)
                        .unwrap_or_else(|| cased(&variant.ident.to_string(), &found.attrs));
                    Documented { name, doc: doc(&variant.attrs) }
                });
                if is_plain {
                    self.enums.insert(found.ident.to_string(), values.collect());
                }
            }
            Item::Macro(found) if found.mac.path.is_ident("components") => {
                let list: List = found.mac.parse_body()?;
                self.families.insert(list.name, list.members);
            }
            Item::Macro(found) if found.mac.path.is_ident("network") => {
                let Network { name, doc, fields } = found.mac.parse_body()?;
                self.structs.insert(name, Struct { doc, top: top.to_owned(), fields });
            }
            _ => {}
        }
        Ok(())
    }
}

fn field(field: &syn::Field) -> Option<Field> {
    let name = field.ident.as_ref()?.to_string();
    let key = rename(&field.attrs).unwrap_or(name);
    Some(Field { key, doc: doc(&field.attrs), kind: field.ty.clone() })
}

/// The body of `components!`.
struct List {
    name: String,
    members: Vec<Member>,
}

impl Parse for List {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Attribute::parse_outer(input)?;
        input.parse::<syn::Visibility>()?;
        input.parse::<Token![enum]>()?;
        let name = input.parse::<syn::Ident>()?.to_string();
        input.parse::<Token![:]>()?;
        input.parse::<Token![dyn]>()?;
        input.parse::<syn::Path>()?;
        input.parse::<Token![,]>()?;
        input.parse::<LitStr>()?;
        let body;
        braced!(body in input);
        let members = Punctuated::<Member, Token![,]>::parse_terminated(&body)?;
        Ok(Self { name, members: members.into_iter().collect() })
    }
}

/// The body of `network!`, which makes the struct of a published network's arguments.
struct Network {
    name: String,
    doc: String,
    fields: Vec<Field>,
}

impl Parse for Network {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let about = doc(&Attribute::parse_outer(input)?);
        let name = input.parse::<syn::Ident>()?.to_string();
        input.parse::<Token![for]>()?;
        input.parse::<Expr>()?;
        input.parse::<Token![,]>()?;
        input.parse::<Expr>()?;
        // `published`, and a list of weights.
        if input.parse::<Option<Token![,]>>()?.is_some() {
            input.parse::<syn::Ident>()?;
            input.parse::<Expr>()?;
        }
        input.parse::<Token![;]>()?;
        let mut fields = vec![
            Field {
                key: "num_classes".to_owned(),
                doc: "Classes to tell apart.".to_owned(),
                kind: syn::parse_str("usize")?,
            },
            Field {
                key: "input_shape".to_owned(),
                doc: "`[channels, height, width]` of the images that it takes.".to_owned(),
                kind: syn::parse_str("[usize; 3]")?,
            },
        ];
        while !input.peek(Token![=>]) {
            let doc = doc(&Attribute::parse_outer(input)?);
            let key = input.parse::<syn::Ident>()?.to_string();
            input.parse::<Token![:]>()?;
            let kind = input.parse()?;
            fields.push(Field { key, doc, kind });
            input.parse::<Token![=]>()?;
            input.parse::<Expr>()?;
            if input.parse::<Option<Token![,]>>()?.is_some() {
                input.parse::<syn::Path>()?;
            }
            input.parse::<Token![;]>()?;
        }
        input.parse::<Token![=>]>()?;
        input.parse::<Expr>()?;
        input.parse::<Token![;]>()?;
        Ok(Self { name, doc: about, fields })
    }
}

impl Parse for Member {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = Attribute::parse_outer(input)?;
        input.parse::<syn::Ident>()?;
        let arguments;
        parenthesized!(arguments in input);
        let arguments = arguments.parse::<syn::Path>()?;
        let arguments = arguments.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        input.parse::<Token![=]>()?;
        Ok(Self { name: input.parse::<LitStr>()?.value(), doc: doc(&attributes), arguments })
    }
}

/// A doc comment, its lines joined as they are written.
fn doc(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => text(&pair.value),
        _ => None,
    };
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn derives(attributes: &[Attribute], wanted: &str) -> bool {
    let mut found = false;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        // Paths such as `serde::Serialize`, too. What cannot be read derives nothing.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|last| last.ident == wanted);
            Ok(())
        });
    }
    found
}

/// `#[serde(rename = "..")]`.
fn rename(attributes: &[Attribute]) -> Option<String> {
    serde_argument(attributes, "rename")
}

/// The text that serde is given under `key`.
fn serde_argument(attributes: &[Attribute], key: &str) -> Option<String> {
    let mut found = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let _ = attribute.parse_nested_meta(|meta| {
            if let Ok(value) = meta.value() {
                let value: LitStr = value.parse()?;
                if meta.path.is_ident(key) {
                    found = Some(value.value());
                }
            }
            Ok(())
        });
    }
    found
}

/// A variant's name as `rename_all` spells it.
fn cased(name: &str, attributes: &[Attribute]) -> String {
    match serde_argument(attributes, "rename_all").as_deref() {
        Some("snake_case") => {
            let mut snake = String::new();
            for letter in name.chars() {
                if letter.is_uppercase() && !snake.is_empty() {
                    snake.push('_');
                }
                snake.extend(letter.to_lowercase());
            }
            snake
        }
        Some("lowercase") => name.to_lowercase(),
        _ => name.to_owned(),
    }
}

//! A family as a program sees it: reading with places, writing, dispatch, registration.

#![allow(clippy::unwrap_used, missing_docs)]

use firebrick_component::{
    ArgumentError, Component, Family, ReadError, RegisterError, check, components, read, take,
};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub trait Shape: Component {
    fn area(&self) -> f64;
    fn grow(&mut self, factor: f64);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Square {
    side: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

impl Component for Square {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::positive("side", self.side)
    }
}

impl Shape for Square {
    fn area(&self) -> f64 {
        self.side * self.side
    }
    fn grow(&mut self, factor: f64) {
        self.side *= factor;
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Group {
    members: Vec<AnyShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<Frame>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Frame {
    width: f64,
    #[serde(default)]
    corners: [f64; 2],
}

impl Component for Group {
    fn validate(&self) -> Result<(), ArgumentError> {
        let mut each = self.members.iter().enumerate();
        each.try_for_each(|(i, shape)| {
            shape.validate().map_err(|error| error.within(format!("members[{i}]")))
        })
    }
}

impl Shape for Group {
    fn area(&self) -> f64 {
        self.members.iter().map(|shape| shape.area()).sum()
    }
    fn grow(&mut self, factor: f64) {
        self.members.iter_mut().for_each(|shape| shape.grow(factor));
    }
}

components! {
    /// Any shape.
    pub enum AnyShape: dyn Shape, "shape" {
        /// Four equal sides.
        Square(Square) = "square",
        /// Several shapes.
        Group(Group) = "group",
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Circle {
    radius: f64,
}

impl Component for Circle {}

impl Shape for Circle {
    fn area(&self) -> f64 {
        3.0 * self.radius * self.radius
    }
    fn grow(&mut self, factor: f64) {
        self.radius *= factor;
    }
}

fn parse(text: &str) -> Result<AnyShape, ReadError> {
    read(Value::Table(text.parse::<Table>().unwrap()))
}

#[test]
fn every_error_says_at_which_key() {
    let cases = [
        ("name = 'square'\nside = 'x'", "side", "invalid type"),
        ("name = 'square'\nsides = 1.0", "sides", "unknown field `sides`, expected `side`"),
        ("name = 'square'", "", "missing field `side`"),
        ("name = 'group'\nframe = [3.0]", "frame", "invalid type: sequence, expected struct Frame"),
        (
            "name = 'group'\nmembers = []\nframe = { width = 1.0, corners = [1, 2, 3] }",
            "frame.corners",
            "invalid length 3, expected 2 elements",
        ),
        ("side = 1.0", "", "a shape has no `name`"),
        ("name = 3", "name", "expected the name of a shape, got an integer"),
        ("name = 'sqare'", "name", "unknown shape `sqare`, expected one of `square`, `group`"),
        (
            "name = 'group'\nmembers = [{ name = 'square', side = 1 }, 4]",
            "members[1]",
            "expected a shape such as",
        ),
        (
            "name = 'group'\nmembers = [{ name = 'group', members = [{ name = 'square', side = true }] }]",
            "members[0].members[0].side",
            "invalid type",
        ),
        (
            "name = 'group'\nmembers = [{ name = 'group', members = [{ name = 'round' }] }]",
            "members[0].members[0].name",
            "unknown shape `round`",
        ),
    ];
    for (text, path, message) in cases {
        let error = parse(text).unwrap_err();
        assert_eq!(error.path, path, "{text}: {error}");
        assert!(error.message.starts_with(message), "{text}: {error}");
    }
}

#[test]
fn validation_says_at_which_key() {
    let text = "name = 'group'\nmembers = [{ name = 'square', side = 2 }, { name = 'square', side = -1 }]";
    let error = parse(text).unwrap().validate().unwrap_err();
    assert_eq!(error.to_string(), "members[1].side: expected a finite number > 0, got -1");
    assert_eq!(error.within("shapes[0]").key, "shapes[0].members[1].side");
}

#[test]
fn a_component_is_written_as_it_is_read_and_a_name_alone_is_one() {
    let group = parse("name = 'group'\nmembers = ['group', { name = 'square', side = inf }]").unwrap();
    let text = toml::to_string(&group).unwrap();
    assert_eq!(parse(&text).unwrap(), group);
    assert!(text.contains("name = \"group\""), "{text}");
    let json = serde_json::json!({"side": 2});
    let square = AnyShape::deserialize_named("square", json).unwrap().unwrap();
    assert_eq!(square.area(), 4.0);
    assert_eq!(AnyShape::from(Square { side: 2.0, label: None }), square);
}

#[test]
fn a_registered_component_is_one_like_the_others() {
    AnyShape::register::<Circle>("circle").unwrap();
    AnyShape::register::<Circle>("circle").unwrap();
    let taken = RegisterError { family: "shape", name: "circle".into() };
    assert_eq!(AnyShape::register::<Square>("circle"), Err(taken));
    assert!(AnyShape::register::<Circle>("square").is_err());
    assert!(AnyShape::names().contains(&"circle"));

    let text = "name = 'group'\nmembers = [{ name = 'circle', radius = 2 }]";
    let mut group = parse(text).unwrap();
    assert_eq!(group.area(), 12.0);
    let copy = group.clone();
    group.grow(2.0);
    assert_eq!((copy.area(), group.area()), (12.0, 48.0));
    assert_ne!(copy, group);
    assert_eq!(parse(&toml::to_string(&group).unwrap()).unwrap(), group);
    let error = parse("name = 'group'\nmembers = [{ name = 'circle', radius = 'x' }]").unwrap_err();
    assert_eq!(error.path, "members[0].radius");
}

#[test]
fn take_reads_one_key_of_a_table() {
    let mut table: Table = "strict = true\nshapes = [{ name = 'square', side = '1' }]".parse().unwrap();
    assert_eq!(take::<bool>(&mut table, "strict").unwrap(), Some(true));
    assert_eq!(take::<bool>(&mut table, "strict").unwrap(), None);
    let error = take::<Vec<AnyShape>>(&mut table, "shapes").unwrap_err();
    assert_eq!(error.path, "shapes[0].side");
}

//! Shapes: what a type tells serde about a value.

/// A shape of serde's data model.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Unit,
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    Text,
    Bytes,
    UnitStruct,
    Option(Box<Shape>),
    Newtype(Box<Shape>),
    Seq(Box<Shape>),
    Tuple(Vec<Shape>),
    TupleStruct(Vec<Shape>),
    Struct(Vec<Shape>),
    Map(Box<Shape>, Box<Shape>),
    Enum(Vec<Variant>),
}

/// A variant of an enum.
#[derive(Debug, Clone)]
pub(super) enum Variant {
    Unit,
    Newtype(Shape),
    Tuple(Vec<Shape>),
    Struct(Vec<Shape>),
}

/// The name of all types.
pub(super) const TYPE: &str = "Sample";
/// The names of fields. No shape has more fields.
pub(super) const FIELDS: [&str; 4] = ["a", "b", "none", "null"];
/// The names of variants. No shape has more variants.
pub(super) const VARIANTS: [&str; 4] = ["A", "B", "None", "Null"];

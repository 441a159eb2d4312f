//! Names of parameters: for the few built-in functions whose arguments may be given by name.

use vonk_types::{DataType, Literal};

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Name.
    pub name: &'static str,
    /// The argument where none is given.
    pub default: ParameterDefault,
}

/// What stands for an argument that is not given.
#[derive(Debug, Clone, Copy)]
pub enum ParameterDefault {
    /// It must be given.
    Required,
    /// A text.
    Text(&'static str),
    /// An untyped null.
    Null,
}

impl ParameterDefault {
    /// As a value.
    pub fn literal(self) -> Option<Literal> {
        match self {
            ParameterDefault::Required => None,
            ParameterDefault::Text(t) => Some(Literal::string(t)),
            ParameterDefault::Null => Some(Literal::null(DataType::Null)),
        }
    }
}

const fn required(name: &'static str) -> Parameter {
    Parameter { name, default: ParameterDefault::Required }
}

const fn text(name: &'static str, default: &'static str) -> Parameter {
    Parameter { name, default: ParameterDefault::Text(default) }
}

const MASK: &[Parameter] = &[
    required("str"),
    text("upperChar", "X"),
    text("lowerChar", "x"),
    text("digitChar", "n"),
    Parameter { name: "otherChar", default: ParameterDefault::Null },
];
const EXPLODE: &[Parameter] = &[required("collection")];
const INLINE: &[Parameter] = &[required("input")];

/// The parameters of a function, if its arguments may be given by name.
pub fn parameters(function: &str) -> Option<&'static [Parameter]> {
    match function {
        "mask" => Some(MASK),
        "explode" | "explode_outer" | "posexplode" | "posexplode_outer" => Some(EXPLODE),
        "inline" | "inline_outer" => Some(INLINE),
        _ => None,
    }
}

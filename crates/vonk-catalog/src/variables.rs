//! Session variables (`DECLARE VARIABLE`).

use std::collections::BTreeMap;
use vonk_error::{Error, Result};
use vonk_plan::unresolved;
use vonk_types::{DataType, Literal};

/// A variable.
#[derive(Debug, Clone)]
struct Variable {
    data_type: DataType,
    value: Literal,
    /// What `SET v = DEFAULT` sets it to.
    default: Option<unresolved::Expr>,
}

/// The variables of a session, by lower-case name.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    variables: BTreeMap<String, Variable>,
}

/// The variable's own name, where it is qualified by nothing or by `[system.]session`.
fn simple_name(name: &[String]) -> Option<String> {
    let lower: Vec<String> = name.iter().map(|p| p.to_lowercase()).collect();
    match &lower[..] {
        [v] => Some(v.clone()),
        [s, v] if s == "session" => Some(v.clone()),
        [c, s, v] if c == "system" && s == "session" => Some(v.clone()),
        _ => None,
    }
}

fn quoted(name: &str) -> String {
    format!("`system`.`session`.`{name}`")
}

impl Variables {
    /// Declares a variable.
    pub fn declare(
        &mut self,
        name: &[String],
        data_type: DataType,
        value: Literal,
        default: Option<unresolved::Expr>,
        replace: bool,
    ) -> Result<()> {
        let simple = simple_name(name).ok_or_else(|| Self::unresolved(name))?;
        if !replace && self.variables.contains_key(&simple) {
            return Err(Error::new("VARIABLE_ALREADY_EXISTS").with("variableName", quoted(&simple)));
        }
        self.variables.insert(simple, Variable { data_type, value, default });
        Ok(())
    }

    /// Forgets a variable; `false` if there is none.
    pub fn drop(&mut self, name: &[String]) -> bool {
        simple_name(name).is_some_and(|n| self.variables.remove(&n).is_some())
    }

    /// Its value.
    pub fn get(&self, name: &[String]) -> Option<&Literal> {
        self.variables.get(&simple_name(name)?).map(|v| &v.value)
    }

    /// Its type and default.
    pub fn declaration(&self, name: &[String]) -> Option<(&DataType, Option<&unresolved::Expr>)> {
        let v = self.variables.get(&simple_name(name)?)?;
        Some((&v.data_type, v.default.as_ref()))
    }

    /// Sets a value of the variable's type.
    pub fn set(&mut self, name: &[String], value: Literal) -> Result<()> {
        let variable = simple_name(name).and_then(|n| self.variables.get_mut(&n));
        let variable = variable.ok_or_else(|| Self::unresolved(name))?;
        variable.value = value;
        Ok(())
    }

    /// Spark's error for a variable that is not there.
    pub fn unresolved(name: &[String]) -> Error {
        let parts: Vec<String> = name.iter().map(|p| vonk_types::data_type::quote_identifier(p)).collect();
        Error::new("UNRESOLVED_VARIABLE")
            .with("variableName", parts.join("."))
            .with("searchPath", "`SYSTEM`.`SESSION`")
    }
}

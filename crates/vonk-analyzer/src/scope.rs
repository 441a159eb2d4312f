//! Names in sight: the columns of a relation with their qualifiers, and Spark's rules for finding one by a dotted name.
//!
//! A name is looked up in a hash table of lower-case column names, so that wide tables cost no more than narrow ones.

use crate::session::Session;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::OnceLock;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{Column, ColumnId};
use vonk_plan::unresolved::Name;
use vonk_types::data_type::{quote_identifier, quote_if_needed};

/// A column that can be named.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// The column.
    pub column: Column,
    /// What may stand before its name, outermost first: `[spark_catalog, default, t]`, `[alias]` or nothing.
    pub qualifier: Arc<[String]>,
    /// Fields of one identity are one column, shown twice: a name that fits them all is not ambiguous.
    pub identity: ColumnId,
}

impl Field {
    /// A column without qualifier.
    pub fn plain(column: Column) -> Field {
        Field { identity: column.id, column, qualifier: Arc::from([]) }
    }

    /// A column with a qualifier.
    pub fn qualified(column: Column, qualifier: Arc<[String]>) -> Field {
        Field { identity: column.id, column, qualifier }
    }

    /// Qualifier and name, each in backticks: `` `t`.`a` ``.
    pub fn quoted(&self) -> String {
        let parts = self.qualifier.iter().map(String::as_str).chain([self.column.name.as_ref()]);
        parts.map(quote_identifier).collect::<Vec<_>>().join(".")
    }

    /// Qualifier and name as SQL: `t.a`.
    pub fn sql(&self) -> String {
        let parts = self.qualifier.iter().map(String::as_str).chain([self.column.name.as_ref()]);
        parts.map(quote_if_needed).collect::<Vec<_>>().join(".")
    }

    fn parts(&self) -> Vec<&str> {
        self.qualifier.iter().map(String::as_str).chain([self.column.name.as_ref()]).collect()
    }
}

/// The columns of a relation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// Columns in order.
    pub fields: Vec<Field>,
    /// Columns that only a qualified name reaches: the sides of a USING or NATURAL join's merged columns.
    pub hidden: Vec<Field>,
    index: OnceLock<HashMap<String, Vec<usize>>>,
    ids: OnceLock<HashMap<ColumnId, usize>>,
}

/// What a dotted name stands for.
#[derive(Debug)]
pub(crate) struct Found<'s> {
    /// The column.
    pub field: &'s Field,
    /// How many parts of the name were used; the rest are fields of the column.
    pub used: usize,
}

impl Scope {
    /// Of these columns.
    pub fn new(fields: Vec<Field>) -> Scope {
        Scope::with_hidden(fields, Vec::new())
    }

    /// With hidden columns.
    pub fn with_hidden(fields: Vec<Field>, hidden: Vec<Field>) -> Scope {
        Scope { fields, hidden, index: OnceLock::new(), ids: OnceLock::new() }
    }

    /// Of columns without qualifiers.
    pub fn plain(columns: impl IntoIterator<Item = Column>) -> Scope {
        Scope::new(columns.into_iter().map(Field::plain).collect())
    }

    /// Of columns with one qualifier.
    pub fn qualified(
        columns: impl IntoIterator<Item = Column>,
        qualifier: impl Into<Arc<[String]>>,
    ) -> Scope {
        let qualifier = qualifier.into();
        Scope::new(columns.into_iter().map(|c| Field::qualified(c, qualifier.clone())).collect())
    }

    /// The same columns under another qualifier; hidden ones are gone.
    pub fn requalified(self, qualifier: impl Into<Arc<[String]>>) -> Scope {
        let qualifier = qualifier.into();
        let fields = self.fields.into_iter().map(|f| Field { qualifier: qualifier.clone(), ..f }).collect();
        Scope::new(fields)
    }

    /// The columns of two relations side by side.
    pub fn joined(mut self, other: Scope) -> Scope {
        self.fields.extend(other.fields);
        self.hidden.extend(other.hidden);
        Scope::with_hidden(self.fields, self.hidden)
    }

    /// The columns.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.fields.iter().map(|f| &f.column)
    }

    fn index(&self) -> &HashMap<String, Vec<usize>> {
        self.index.get_or_init(|| {
            let mut map: HashMap<String, Vec<usize>> = HashMap::with_capacity(self.fields.len());
            for (i, f) in self.fields.iter().chain(&self.hidden).enumerate() {
                map.entry(f.column.name.to_lowercase()).or_default().push(i);
            }
            map
        })
    }

    fn at(&self, i: usize) -> &Field {
        if i < self.fields.len() { &self.fields[i] } else { &self.hidden[i - self.fields.len()] }
    }

    /// The first field that is this column.
    pub fn field(&self, id: ColumnId) -> Option<&Field> {
        let ids = self.ids.get_or_init(|| {
            let all = self.fields.iter().chain(&self.hidden).enumerate();
            all.collect::<Vec<_>>().into_iter().rev().map(|(i, f)| (f.column.id, i)).collect()
        });
        ids.get(&id).map(|i| self.at(*i))
    }

    /// Fields whose name is this, with their positions (hidden ones after the others).
    fn by_name<'s>(&'s self, s: &Session<'_>, name: &str) -> Vec<(usize, &'s Field)> {
        let Some(found) = self.index().get(&name.to_lowercase()) else { return Vec::new() };
        let all = found.iter().map(|i| (*i, self.at(*i)));
        all.filter(|(_, f)| !s.case_sensitive || *f.column.name == *name).collect()
    }

    /// Looks a dotted name up, as Spark: the longest qualifier that fits first, plain columns before hidden ones.
    pub fn resolve(&self, s: &Session<'_>, parts: &[String], span: Span) -> Result<Option<Found<'_>>> {
        let visible = |i: usize| i < self.fields.len();
        for hidden in [false, true] {
            if hidden && self.hidden.is_empty() {
                break;
            }
            for qualifiers in (0..parts.len().min(4)).rev() {
                if hidden && qualifiers == 0 {
                    continue;
                }
                let candidates = self.by_name(s, &parts[qualifiers]);
                let fits = |f: &Field| has_suffix(s, &f.qualifier, &parts[..qualifiers]);
                let mut found: Vec<&Field> = Vec::new();
                for (i, f) in candidates {
                    if visible(i) != hidden && fits(f) && !found.iter().any(|g| g.identity == f.identity) {
                        found.push(f);
                    }
                }
                match found.as_slice() {
                    [] => {}
                    [field] => return Ok(Some(Found { field, used: qualifiers + 1 })),
                    many => return Err(ambiguous(parts, many, span)),
                }
            }
        }
        Ok(None)
    }

    /// The fields that `qualifier.*` stands for, hidden ones first; empty if nothing has this qualifier.
    pub fn star(&self, s: &Session<'_>, qualifier: &[String]) -> Vec<&Field> {
        let all = self.hidden.iter().chain(&self.fields);
        all.filter(|f| has_suffix(s, &f.qualifier, qualifier)).collect()
    }

    /// Spark's error for a name that nothing here has.
    pub fn unresolved(&self, name: &Name) -> Error {
        unresolved(&[self], name)
    }
}

fn has_suffix(s: &Session<'_>, qualifier: &[String], suffix: &[String]) -> bool {
    suffix.len() <= qualifier.len()
        && qualifier[qualifier.len() - suffix.len()..].iter().zip(suffix).all(|(a, b)| s.same_name(a, b))
}

fn ambiguous(parts: &[String], found: &[&Field], span: Span) -> Error {
    let name = parts.iter().map(|p| quote_identifier(p)).collect::<Vec<_>>().join(".");
    let mut all: Vec<String> = found.iter().map(|f| f.quoted()).collect();
    all.sort();
    Error::new("AMBIGUOUS_REFERENCE")
        .with("name", name)
        .with("referenceNames", format!("[{}]", all.join(", ")))
        .at(span)
}

/// The parts of a name, each in backticks.
pub(crate) fn quoted_name(parts: &[String]) -> String {
    parts.iter().map(|p| quote_identifier(p)).collect::<Vec<_>>().join(".")
}

/// Spark's error for a column that cannot be found among these scopes' columns.
pub(crate) fn unresolved(scopes: &[&Scope], name: &Name) -> Error {
    let proposals = suggestions(scopes, &name.parts);
    if proposals.is_empty() {
        return Error::new("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION")
            .with("objectName", quoted_name(&name.parts))
            .at(name.span);
    }
    Error::new("UNRESOLVED_COLUMN.WITH_SUGGESTION")
        .with("objectName", quoted_name(&name.parts))
        .with("proposal", proposals.join(", "))
        .at(name.span)
}

/// At most five columns, the most similar first (Spark's order: by name and age, then by edit distance).
fn suggestions(scopes: &[&Scope], parts: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut fields: Vec<&Field> = Vec::new();
    for f in scopes.iter().flat_map(|s| &s.fields) {
        if seen.insert(f.identity) {
            fields.push(f);
        }
    }
    fields.sort_by(|a, b| a.column.name.cmp(&b.column.name));
    let candidates: Vec<Vec<&str>> = fields.iter().map(|f| f.parts()).collect();
    let base = parts.iter().map(|p| quote_if_needed(p)).collect::<Vec<_>>().join(".");
    similar(&base, parts.len(), candidates)
}

/// Orders candidates by similarity to a name of `parts` parts, stripped of the qualifiers that all have in common.
pub(crate) fn similar(base: &str, parts: usize, candidates: Vec<Vec<&str>>) -> Vec<String> {
    let common = |drop: usize| {
        let mut heads = candidates.iter().map(|c| &c[..c.len().saturating_sub(drop)]);
        heads.next().is_none_or(|first| heads.all(|h| h == first))
    };
    let keep = if parts == 1 && common(1) {
        1
    } else if parts <= 2 && common(2) {
        2
    } else {
        usize::MAX
    };
    let quoted = candidates.iter().map(|c| {
        let tail = &c[c.len().saturating_sub(keep)..];
        tail.iter().map(|p| quote_identifier(p)).collect::<Vec<_>>().join(".")
    });
    let mut ranked: Vec<(usize, String)> = quoted.map(|q| (edit_distance(&q, base), q)).collect();
    ranked.sort_by_key(|(d, _)| *d);
    ranked.into_iter().take(5).map(|(_, q)| q).collect()
}

/// Levenshtein distance.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_first() {
        let names = ["a", "ab", "abcd", "abd", "bcd", "yyy", "zzz"];
        let got = similar("abc", 1, names.iter().map(|n| vec![*n]).collect());
        assert_eq!(got, ["`ab`", "`a`", "`abcd`", "`abd`", "`bcd`"]);
    }

    #[test]
    fn distances() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", "abc"), 0);
    }
}

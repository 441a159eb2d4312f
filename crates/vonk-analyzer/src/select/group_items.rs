//! ROLLUP, CUBE and GROUPING SETS written out as lists of sets.

use vonk_plan::unresolved::{Expr, GroupItem, GroupingSet};

/// GROUP BY, written out.
pub(crate) struct Listed<'e> {
    /// All expressions in the order of the text: they fix the bits of `grouping_id`.
    pub plain: Vec<&'e Expr>,
    /// The grouping sets; `None` where there is nothing but expressions.
    pub sets: Option<Vec<Vec<&'e Expr>>>,
}

/// Writes a list out: its sets are crossed with each other.
pub(crate) fn list(items: &[GroupItem]) -> Listed<'_> {
    let mut plain = Vec::new();
    for i in items {
        mentioned(i, &mut plain);
    }
    if items.iter().all(|i| matches!(i, GroupItem::Expr(_))) {
        return Listed { plain, sets: None };
    }
    let mut sets: Vec<Vec<&Expr>> = vec![Vec::new()];
    for i in items {
        let of_item = item_sets(i);
        sets = sets
            .into_iter()
            .flat_map(|s| of_item.iter().map(move |t| s.iter().chain(t).copied().collect()))
            .collect();
    }
    Listed { plain, sets: Some(sets) }
}

fn mentioned<'e>(item: &'e GroupItem, out: &mut Vec<&'e Expr>) {
    match item {
        GroupItem::Expr(e) => out.push(e),
        GroupItem::Rollup(lists) | GroupItem::Cube(lists) => out.extend(lists.iter().flatten()),
        GroupItem::GroupingSets(sets) => sets.iter().for_each(|s| mentioned_in_set(s, out)),
        GroupItem::GroupingSetsOf(exprs, sets) => {
            out.extend(exprs);
            sets.iter().for_each(|s| mentioned_in_set(s, out));
        }
    }
}

fn mentioned_in_set<'e>(set: &'e GroupingSet, out: &mut Vec<&'e Expr>) {
    match set {
        GroupingSet::Set(exprs) => out.extend(exprs),
        GroupingSet::Nested(item) => mentioned(item, out),
    }
}

fn item_sets(item: &GroupItem) -> Vec<Vec<&Expr>> {
    match item {
        GroupItem::Expr(e) => vec![vec![e]],
        GroupItem::Rollup(lists) => {
            (0..=lists.len()).rev().map(|n| lists[..n].iter().flatten().collect()).collect()
        }
        GroupItem::Cube(lists) => {
            let n = lists.len().min(20);
            (0..1usize << n)
                .rev()
                .map(|bits| {
                    let chosen =
                        lists.iter().enumerate().filter(|(i, _)| bits >> (n - 1 - i.min(&(n - 1))) & 1 == 1);
                    chosen.flat_map(|(_, l)| l).collect()
                })
                .collect()
        }
        GroupItem::GroupingSets(sets) | GroupItem::GroupingSetsOf(_, sets) => {
            sets.iter().flat_map(set_sets).collect()
        }
    }
}

fn set_sets(set: &GroupingSet) -> Vec<Vec<&Expr>> {
    match set {
        GroupingSet::Set(exprs) => vec![exprs.iter().collect()],
        GroupingSet::Nested(item) => item_sets(item),
    }
}

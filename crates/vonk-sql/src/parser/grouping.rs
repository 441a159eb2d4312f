//! GROUP BY.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::Result;
use vonk_plan::unresolved::{Expr, ExprKind, GroupBy, GroupItem, GroupingSet};

impl Parser<'_> {
    /// GROUP BY is taken.
    pub(super) fn group_by(&mut self) -> Result<GroupBy> {
        let items = self.comma_list(Self::group_item)?;
        if let [GroupItem::Expr(e)] = &items[..]
            && let ExprKind::Name(name) = &e.kind
            && name.parts.len() == 1
            && name.parts[0].eq_ignore_ascii_case("all")
        {
            return Ok(GroupBy::All(e.span));
        }
        if self.at_kw(Kw::With) && matches!(self.ahead(1).kw, Kw::Rollup | Kw::Cube) {
            self.pos += 1;
            let exprs = self.plain_items(items)?;
            let sets = exprs.into_iter().map(|e| vec![e]).collect();
            let rollup = self.advance().kw == Kw::Rollup;
            let item = if rollup { GroupItem::Rollup(sets) } else { GroupItem::Cube(sets) };
            return Ok(GroupBy::Items(vec![item]));
        }
        if self.at_grouping_sets() {
            let exprs = self.plain_items(items)?;
            self.pos += 2;
            let sets = self.nested(|p| p.paren_list(Self::grouping_set))?;
            return Ok(GroupBy::Items(vec![GroupItem::GroupingSetsOf(exprs, sets)]));
        }
        Ok(GroupBy::Items(items))
    }

    fn at_grouping_sets(&self) -> bool {
        self.at_kws(&[Kw::Grouping, Kw::Sets]) && self.ahead(2).kind == Kind::LParen
    }

    /// `WITH ROLLUP` and a trailing GROUPING SETS follow nothing but expressions.
    fn plain_items(&self, items: Vec<GroupItem>) -> Result<Vec<Expr>> {
        items
            .into_iter()
            .map(|item| match item {
                GroupItem::Expr(e) => Ok(e),
                _ => Err(self.unexpected()),
            })
            .collect()
    }

    fn group_item(&mut self) -> Result<GroupItem> {
        match self.grouping_analytics()? {
            Some(item) => Ok(item),
            None => Ok(GroupItem::Expr(self.expression()?)),
        }
    }

    /// ROLLUP, CUBE, GROUPING SETS.
    fn grouping_analytics(&mut self) -> Result<Option<GroupItem>> {
        if self.at_any(&[Kw::Rollup, Kw::Cube])
            && self.ahead(1).kind == Kind::LParen
            && self.ahead(2).kind != Kind::RParen
        {
            let rollup = self.advance().kw == Kw::Rollup;
            let sets = self.nested(|p| p.paren_list(Self::plain_set))?;
            return Ok(Some(if rollup { GroupItem::Rollup(sets) } else { GroupItem::Cube(sets) }));
        }
        if self.at_grouping_sets() {
            self.pos += 2;
            let sets = self.nested(|p| p.paren_list(Self::grouping_set))?;
            return Ok(Some(GroupItem::GroupingSets(sets)));
        }
        Ok(None)
    }

    fn grouping_set(&mut self) -> Result<GroupingSet> {
        match self.nested(Self::grouping_analytics)? {
            Some(item) => Ok(GroupingSet::Nested(item)),
            None => Ok(GroupingSet::Set(self.plain_set()?)),
        }
    }

    /// `(a, b)`, `()`, or one expression.
    fn plain_set(&mut self) -> Result<Vec<Expr>> {
        if self.at(Kind::LParen) {
            // Parentheses hold a set only where they end the element: `(a) + 1` is an expression.
            let close = self.closer(self.pos);
            if matches!(self.tokens.get(close + 1).map(|t| t.kind), Some(Kind::Comma | Kind::RParen)) {
                self.pos += 1;
                let mut set = Vec::new();
                if !self.at(Kind::RParen) {
                    set = self.nested(|p| p.comma_list(Self::expression))?;
                }
                self.expect(Kind::RParen)?;
                return Ok(set);
            }
        }
        Ok(vec![self.expression()?])
    }
}

//! Pipe operators: `query |> WHERE … |> SELECT …`.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Over, Pipe, PipeOp, Plan, Select};

impl Parser<'_> {
    /// `|>` is taken.
    pub(super) fn pipe(&mut self, input: Plan) -> Result<Plan> {
        let start = self.start();
        let op = match self.kw() {
            Kw::Select => return self.pipe_select(input),
            Kw::Extend => {
                self.pos += 1;
                PipeOp::Extend(self.comma_list(Self::named_expression)?)
            }
            Kw::Set => {
                self.pos += 1;
                PipeOp::Set(self.comma_list(Self::pipe_assignment)?)
            }
            Kw::Drop => {
                self.pos += 1;
                PipeOp::Drop(self.comma_list(Self::name)?)
            }
            Kw::Where => {
                self.pos += 1;
                let condition = self.expression()?;
                if self.at_window_clause() {
                    return Err(Error::new("NOT_ALLOWED_IN_PIPE_OPERATOR_WHERE.WINDOW_CLAUSE")
                        .at(self.span_from(start)));
                }
                PipeOp::Where(condition)
            }
            Kw::Aggregate => self.pipe_aggregate()?,
            Kw::As => {
                self.pos += 1;
                let alias = self.plain_identifier()?;
                let input = Box::new(Plan::Subquery(Box::new(input)));
                return Ok(Plan::Aliased { input, alias, columns: Vec::new(), span: self.span_from(start) });
            }
            _ => return self.pipe_plain(input),
        };
        Ok(Plan::Pipe(Box::new(Pipe { input, op, span: self.span_from(start) })))
    }

    fn pipe_assignment(&mut self) -> Result<(String, vonk_plan::unresolved::Expr)> {
        let start = self.start();
        let name = self.plain_identifier()?;
        if self.at(Kind::Dot) {
            let what = "SQL pipe syntax |> SET operator with multi-part assignment key (only single-part keys are allowed)";
            return Err(pipe_error(what).at(self.span_from(start)));
        }
        self.expect(Kind::Eq)?;
        Ok((name, self.expression()?))
    }

    fn pipe_aggregate(&mut self) -> Result<PipeOp> {
        let start = self.start();
        self.pos += 1;
        let aggregates = if self.at_by(Kw::Group) || !self.begins_expression(0) {
            Vec::new()
        } else {
            self.comma_list(Self::named_expression)?
        };
        let mut group_by = None;
        if self.at_by(Kw::Group) {
            self.pos += 2;
            // Keys may have names here: they are columns of the output.
            group_by = Some(self.pipe_group_by()?);
        }
        if aggregates.is_empty() && group_by.is_none() {
            let what = "The AGGREGATE clause requires a list of aggregate expressions or a list of grouping expressions, or both";
            return Err(pipe_error(what).at(self.span_from(start)));
        }
        Ok(PipeOp::Aggregate { aggregates, group_by })
    }

    fn pipe_group_by(&mut self) -> Result<vonk_plan::unresolved::GroupBy> {
        use vonk_plan::unresolved::{GroupBy, GroupItem};
        let GroupBy::Items(mut items) = self.group_by()? else {
            return Err(Error::unsupported("GROUP BY ALL in |> AGGREGATE").at(self.span_of(self.token())));
        };
        // The list stops at the first alias; what follows is read here.
        while self.at_alias() {
            let Some(GroupItem::Expr(e)) = items.pop() else { return Err(self.unexpected()) };
            self.eat_kw(Kw::As);
            let names = vec![self.plain_identifier()?];
            let span = e.span.union(self.span_of(self.tokens[self.pos - 1]));
            let kind = vonk_plan::unresolved::ExprKind::Alias { expr: Box::new(e), names };
            items.push(GroupItem::Expr(vonk_plan::unresolved::Expr::new(kind, span)));
            if !self.eat(Kind::Comma) {
                break;
            }
            match self.group_by()? {
                GroupBy::Items(more) => items.extend(more),
                GroupBy::All(_) => return Err(self.unexpected()),
            }
        }
        Ok(GroupBy::Items(items))
    }

    fn at_alias(&self) -> bool {
        self.at_kw(Kw::As) || self.at_identifier() && !self.at_clause()
    }

    /// `|> SELECT …`; with GROUP BY it is a SELECT over the input.
    fn pipe_select(&mut self, input: Plan) -> Result<Plan> {
        let start = self.start();
        let head = self.select_head()?;
        let mut group_by = None;
        if self.at_by(Kw::Group) {
            self.pos += 2;
            group_by = Some(self.group_by()?);
        }
        let windows = if self.at_window_clause() { self.window_clause()? } else { Vec::new() };
        let span = self.span_from(start);
        let specs: Option<Vec<_>> = windows
            .iter()
            .map(|(name, over)| match over {
                Over::Window(spec) => Some((name.clone(), spec.clone())),
                Over::Named(_) => None,
            })
            .collect();
        let plan = match (group_by, specs) {
            (None, Some(windows)) => {
                let op = PipeOp::Select { distinct: head.distinct, projection: head.projection, windows };
                Plan::Pipe(Box::new(Pipe { input, op, span }))
            }
            (group_by, _) => {
                let mut select = Select::plain(head.projection, input, span);
                select.distinct = head.distinct;
                select.group_by = group_by;
                select.windows = windows;
                Plan::Select(Box::new(select))
            }
        };
        if head.hints.is_empty() {
            return Ok(plan);
        }
        Ok(Plan::Hint { input: Box::new(plan), hints: head.hints })
    }

    /// Operators that mean what they mean behind a query or a relation.
    fn pipe_plain(&mut self, input: Plan) -> Result<Plan> {
        let start = self.start();
        if self.at_pivot() {
            let plan = self.pivot(input)?;
            self.only_one_pivot(self.at_unpivot(), start)?;
            return Ok(plan);
        }
        if self.at_unpivot() {
            let plan = self.unpivot(input)?;
            self.only_one_pivot(self.at_pivot(), start)?;
            return Ok(plan);
        }
        if self.at_kw(Kw::Tablesample) {
            return self.sample(input);
        }
        if let Some((kind, _)) = self.set_operator() {
            self.pos += 1;
            let all = self.set_quantifier();
            let right = Box::new(self.pipe_operand()?);
            let span = self.span_from(start);
            return Ok(Plan::SetOp { kind, all, by_name: false, left: Box::new(input), right, span });
        }
        if let Some((kind, natural)) = self.join_type()? {
            return self.join(input, kind, natural, start);
        }
        let organized = [Kw::Order, Kw::Sort, Kw::Cluster, Kw::Distribute].iter().any(|kw| self.at_by(*kw))
            || self.at_any(&[Kw::Limit, Kw::Offset]);
        if organized {
            return self.pipe_organization(input, start);
        }
        if matches!(self.kind(), Kind::Eof | Kind::Semicolon | Kind::RParen | Kind::PipeOp) {
            // All parts of ORDER BY … LIMIT may be absent.
            return Ok(input);
        }
        let last = matches!(self.ahead(1).kind, Kind::Eof | Kind::Semicolon);
        Err(if last { self.extra() } else { self.unexpected() })
    }

    /// ORDER BY and the like: one of them in a step, but OFFSET may follow LIMIT.
    fn pipe_organization(&mut self, input: Plan, start: u32) -> Result<Plan> {
        let clause = |p: &Self| match p.kw() {
            Kw::Order => "ORDER BY",
            Kw::Sort => "SORT BY",
            Kw::Cluster => "CLUSTER BY",
            Kw::Distribute => "DISTRIBUTE BY",
            Kw::Limit => "LIMIT",
            _ => "OFFSET",
        };
        let first = clause(self);
        let plan = self.organization(input)?;
        let (top, below) = match &plan {
            Plan::Limit { input, .. } => ("LIMIT", Some(input.as_ref())),
            Plan::Offset { input, .. } => ("OFFSET", Some(input.as_ref())),
            _ => ("", None),
        };
        let sorted = matches!(below, Some(Plan::Sort { .. } | Plan::Distribute { .. }));
        if sorted && !matches!(first, "LIMIT" | "OFFSET") {
            return Err(Error::new("MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS")
                .with("clause1", first)
                .with("clause2", top)
                .at(self.span_from(start)));
        }
        Ok(plan)
    }

    fn only_one_pivot(&self, another: bool, start: u32) -> Result<()> {
        if another {
            return Err(Error::new("NOT_ALLOWED_IN_FROM.UNPIVOT_WITH_PIVOT").at(self.span_from(start)));
        }
        Ok(())
    }
}

fn pipe_error(message: &str) -> Error {
    Error::new("_LEGACY_ERROR_TEMP_0035").with("message", message)
}

//! Text of expressions and plans, for EXPLAIN and snapshots.

use crate::logical::expr::{AggregateExpr, Expr, SortExpr, SubqueryKind, WindowExpr};
use crate::logical::plan::LogicalPlan;
use std::fmt;

struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, e) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            e.fmt(f)?;
        }
        Ok(())
    }
}

fn joined(f: &mut fmt::Formatter<'_>, list: &[Expr], sep: &str) -> fmt::Result {
    f.write_str("(")?;
    for (i, e) in list.iter().enumerate() {
        if i > 0 {
            f.write_str(sep)?;
        }
        write!(f, "{e}")?;
    }
    f.write_str(")")
}

impl fmt::Display for Expr {
    /// Columns as `name#id`, everything else close to SQL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Column(c) => write!(f, "{}#{}", c.name, c.id.0),
            Expr::OuterColumn(c) => write!(f, "outer({}#{})", c.name, c.id.0),
            Expr::LambdaParam(c) => write!(f, "{}", c.name),
            Expr::Literal(l) if l.is_null() => f.write_str("null"),
            Expr::Literal(l) => write!(f, "{}", l.value),
            Expr::Call { function, args, .. }
                if args.len() == 2 && !function.starts_with(char::is_alphabetic) =>
            {
                write!(f, "({} {} {})", args[0], function, args[1])
            }
            Expr::Call { function, args, .. } => write!(f, "{function}({})", List(args)),
            Expr::Cast { expr, to, .. } => write!(f, "cast({expr} as {to})"),
            Expr::Compare { op, left, right } => write!(f, "({left} {} {right})", op.symbol()),
            Expr::And(list) => joined(f, list, " AND "),
            Expr::Or(list) => joined(f, list, " OR "),
            Expr::Not(e) => write!(f, "NOT {e}"),
            Expr::IsNull(e) => write!(f, "isnull({e})"),
            Expr::IsNotNull(e) => write!(f, "isnotnull({e})"),
            Expr::Case { branches, otherwise, .. } => {
                f.write_str("CASE")?;
                for (c, v) in branches {
                    write!(f, " WHEN {c} THEN {v}")?;
                }
                if let Some(o) = otherwise {
                    write!(f, " ELSE {o}")?;
                }
                f.write_str(" END")
            }
            Expr::Coalesce { args, .. } => write!(f, "coalesce({})", List(args)),
            Expr::InList { expr, list, negated } => {
                write!(f, "{expr} {}IN ({})", if *negated { "NOT " } else { "" }, List(list))
            }
            Expr::Field { expr, name, .. } => write!(f, "{expr}.{name}"),
            Expr::MakeStruct { args, .. } => write!(f, "struct({})", List(args)),
            Expr::Lambda { params, body } => {
                let names: Vec<&str> = params.iter().map(|p| p.name.as_ref()).collect();
                write!(f, "({}) -> {body}", names.join(", "))
            }
            Expr::Subquery(s) => match &s.kind {
                SubqueryKind::Scalar => f.write_str("scalar-subquery"),
                SubqueryKind::Exists { negated } => {
                    write!(f, "{}exists-subquery", if *negated { "not " } else { "" })
                }
                SubqueryKind::In { exprs, negated } => {
                    write!(f, "({}) {}in-subquery", List(exprs), if *negated { "not " } else { "" })
                }
            },
        }
    }
}

impl fmt::Display for SortExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.descending { "DESC" } else { "ASC" };
        write!(f, "{} {direction} NULLS {}", self.expr, if self.nulls_first { "FIRST" } else { "LAST" })
    }
}

impl fmt::Display for AggregateExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}{})", self.function, if self.distinct { "DISTINCT " } else { "" }, List(&self.args))?;
        if !self.order_by.is_empty() {
            write!(f, " WITHIN GROUP (ORDER BY {})", List(&self.order_by))?;
        }
        match &self.filter {
            Some(p) => write!(f, " FILTER (WHERE {p})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for WindowExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WindowExpr::Aggregate { call, frame } => {
                write!(f, "{call} {:?} {:?}..{:?}", frame.units, frame.start, frame.end)
            }
            WindowExpr::Function { function, args, .. } => write!(f, "{function}({})", List(args)),
        }
    }
}

impl<T: fmt::Display> fmt::Display for crate::logical::Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = format!("{}#{}", self.column.name, self.column.id.0);
        let text = self.expr.to_string();
        if own == text { f.write_str(&text) } else { write!(f, "{text} AS {own}") }
    }
}

impl LogicalPlan {
    /// One line for this operator alone.
    pub fn headline(&self) -> String {
        match self {
            LogicalPlan::Scan(s) => {
                let columns: Vec<String> =
                    s.columns.iter().map(|(c, _)| format!("{}#{}", c.name, c.id.0)).collect();
                let mut out = format!("Scan {} [{}]", s.name, columns.join(", "));
                if !s.filters.is_empty() {
                    out += &format!(", filters=[{}]", List(&s.filters));
                }
                if let Some(n) = s.limit {
                    out += &format!(", limit={n}");
                }
                out
            }
            LogicalPlan::Values { columns, batch } => {
                let columns: Vec<String> = columns.iter().map(|c| format!("{}#{}", c.name, c.id.0)).collect();
                format!("Values [{}], rows={}", columns.join(", "), batch.num_rows())
            }
            LogicalPlan::Range { start, end, step, .. } => format!("Range ({start}, {end}, step={step})"),
            LogicalPlan::Project { exprs, .. } => format!("Project [{}]", List(exprs)),
            LogicalPlan::Filter { predicate, .. } => format!("Filter {predicate}"),
            LogicalPlan::Aggregate { groups, aggregates, .. } => {
                format!("Aggregate [{}], [{}]", List(groups), List(aggregates))
            }
            LogicalPlan::Expand { projections, columns, .. } => {
                let lists: Vec<String> = projections.iter().map(|p| format!("[{}]", List(p))).collect();
                let columns: Vec<String> = columns.iter().map(|c| format!("{}#{}", c.name, c.id.0)).collect();
                format!("Expand [{}] AS [{}]", lists.join(", "), columns.join(", "))
            }
            LogicalPlan::Window(w) => format!(
                "Window [{}], partition by [{}], order by [{}]",
                List(&w.functions),
                List(&w.partition_by),
                List(&w.order_by)
            ),
            LogicalPlan::Generate(g) => {
                format!("Generate {}({}){}", g.function, List(&g.args), if g.outer { " outer" } else { "" })
            }
            LogicalPlan::Join(j) => {
                let lateral = if j.lateral { "Lateral" } else { "" };
                match &j.condition {
                    Some(c) => format!("{lateral}Join {:?}, {c}", j.kind),
                    None => format!("{lateral}Join {:?}", j.kind),
                }
            }
            LogicalPlan::Sort { keys, global, .. } => {
                format!("Sort [{}]{}", List(keys), if *global { "" } else { ", within partitions" })
            }
            LogicalPlan::Limit { skip, fetch, .. } => match fetch {
                Some(n) if *skip == 0 => format!("Limit {n}"),
                Some(n) => format!("Limit {n} offset {skip}"),
                None => format!("Offset {skip}"),
            },
            LogicalPlan::Distinct { .. } => "Distinct".to_string(),
            LogicalPlan::Union { .. } => "Union".to_string(),
            LogicalPlan::SetOperation { operation, all, .. } => {
                format!("{operation:?}{}", if *all { " All" } else { "" })
            }
            LogicalPlan::Repartition { distribution, .. } => format!("Repartition {distribution:?}"),
            LogicalPlan::Sample { sampling, seed, .. } => format!("Sample {sampling} seed {seed}"),
            LogicalPlan::Loop(l) => match l.fetch {
                Some(n) => format!("Loop {}, fetch={n}", l.id.0),
                None => format!("Loop {}", l.id.0),
            },
            LogicalPlan::WorkingTable { id, .. } => format!("WorkingTable of loop {}", id.0),
            LogicalPlan::Write(w) => format!("Write {} {} {:?}", w.format, w.path, w.mode),
        }
    }

    fn write_tree(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        writeln!(f, "{:indent$}{}", "", self.headline(), indent = depth * 2)?;
        for e in self.exprs() {
            let mut result = Ok(());
            e.visit(&mut |e| {
                if let Expr::Subquery(s) = e {
                    if result.is_ok() {
                        result = writeln!(f, "{:indent$}: subquery", "", indent = depth * 2 + 2)
                            .and_then(|()| s.plan.write_tree(f, depth + 3));
                    }
                }
            });
            result?;
        }
        self.inputs().into_iter().try_for_each(|i| i.write_tree(f, depth + 1))
    }
}

impl fmt::Display for LogicalPlan {
    /// One operator a line, inputs indented.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_tree(f, 0)
    }
}

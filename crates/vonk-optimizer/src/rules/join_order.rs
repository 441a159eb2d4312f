//! The order of inner joins, by cost.
//!
//! A tree of inner joins is taken apart into relations and predicates. Up to [`DP_LIMIT`] relations, dynamic programming over
//! connected subsets finds the best bushy tree (Moerkotte and Neumann, "Analysis of Two Existing and One New Dynamic
//! Programming Algorithm", VLDB 2006; here by subset enumeration with memo); beyond that, greedy operator ordering. The cost of
//! a join is its output's rows and the rows of its build side, which a hash join must hold.

use crate::optimizer::{Rule, RuleContext};
use crate::rules::{filter, output_ids, project_to};
use crate::statistics::{Estimate, equi_keys, estimate, filtered, join_rows};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use vonk_error::{Result, check_cancelled};
use vonk_plan::logical::{ColumnId, Expr, Join, JoinKind, LogicalPlan};

/// See the module.
pub struct JoinOrder;

/// Relations up to which all trees are considered: 3^n subset pairs.
const DP_LIMIT: usize = 10;
/// Relations up to which pairs of trees are searched for the best one.
const GREEDY_LIMIT: usize = 200;
/// A row that must be held in a hash table costs as much as so many rows that flow.
const BUILD_WEIGHT: f64 = 2.0;

impl Rule for JoinOrder {
    fn name(&self) -> &'static str {
        "JoinOrder"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, _: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        walk(plan)
    }
}

fn walk(plan: Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
    match plan.as_ref() {
        LogicalPlan::Join(j) if j.kind == JoinKind::Inner && !j.lateral => {
            let output = plan.output();
            let mut graph = Graph::default();
            graph.take_apart(&plan)?;
            if graph.relations.len() < 2 {
                return Ok(plan);
            }
            let ordered = graph.order()?;
            Ok(project_to(ordered, &output))
        }
        _ => Ok(Arc::new(Arc::unwrap_or_clone(plan).map_inputs(&mut walk)?)),
    }
}

#[derive(Default)]
struct Graph {
    relations: Vec<Arc<LogicalPlan>>,
    predicates: Vec<Expr>,
}

/// A conjunct with the columns it needs, which every pair of trees is tested for.
struct Predicate {
    expr: Expr,
    columns: HashSet<ColumnId>,
}

impl Predicate {
    fn new(expr: Expr) -> Self {
        Predicate { columns: expr.columns(), expr }
    }
}

/// A tree over a set of relations (bits).
#[derive(Clone)]
struct Tree {
    plan: Arc<LogicalPlan>,
    estimate: Estimate,
    ids: HashSet<ColumnId>,
    cost: f64,
}

impl Graph {
    fn take_apart(&mut self, plan: &Arc<LogicalPlan>) -> Result<()> {
        check_cancelled()?;
        match plan.as_ref() {
            LogicalPlan::Join(j) if j.kind == JoinKind::Inner && !j.lateral => {
                self.take_apart(&j.left)?;
                self.take_apart(&j.right)?;
                self.predicates.extend(j.condition.clone().map(Expr::conjuncts).unwrap_or_default());
            }
            LogicalPlan::Filter { predicate, input }
                if predicate.is_deterministic()
                    && matches!(input.as_ref(), LogicalPlan::Join(j) if j.kind == JoinKind::Inner && !j.lateral) =>
            {
                self.take_apart(input)?;
                self.predicates.extend(predicate.clone().conjuncts());
            }
            _ => self.relations.push(walk(plan.clone())?),
        }
        Ok(())
    }

    fn order(self) -> Result<Arc<LogicalPlan>> {
        let Graph { relations, predicates } = self;
        let predicates: Vec<Predicate> =
            with_transitive(predicates)?.into_iter().map(Predicate::new).collect();
        let leaves: Vec<Tree> = relations
            .into_iter()
            .map(|plan| {
                check_cancelled()?;
                let estimate = estimate(&plan);
                Ok(Tree { ids: output_ids(&plan), estimate, plan, cost: 0.0 })
            })
            .collect::<Result<_>>()?;
        let best = if leaves.len() <= DP_LIMIT {
            dynamic(&leaves, &predicates)?
        } else {
            greedy(leaves, &predicates)?
        };
        // Predicates that no join could take (none, if all columns exist) would be lost otherwise.
        let unused = predicates.into_iter().filter(|p| p.columns.is_empty()).map(|p| p.expr).collect();
        Ok(filter(unused, best.plan))
    }
}

/// Adds `a = c` where `a = b` and `b = c`: more trees are connected then. The implied ones cost nothing where they are redundant,
/// since of each class a join keeps only what is not implied already.
fn with_transitive(predicates: Vec<Expr>) -> Result<Vec<Expr>> {
    use vonk_types::CompareOp;
    let mut edges: Vec<(vonk_plan::Column, vonk_plan::Column)> = Vec::new();
    for p in &predicates {
        if let Expr::Compare { op: CompareOp::Eq, left, right } = p {
            if let (Expr::Column(a), Expr::Column(b)) = (left.as_ref(), right.as_ref()) {
                edges.push((a.clone(), b.clone()));
            }
        }
    }
    let mut out = predicates;
    let known = edges.clone();
    for (i, (a, b)) in known.iter().enumerate() {
        check_cancelled()?;
        for (c, d) in &known[i + 1..] {
            let third = if a == c {
                Some((b, d))
            } else if a == d {
                Some((b, c))
            } else if b == c {
                Some((a, d))
            } else if b == d {
                Some((a, c))
            } else {
                None
            };
            if let Some((x, y)) = third {
                check_cancelled()?;
                let exists = edges.iter().any(|(p, q)| (p == x && q == y) || (p == y && q == x));
                if x != y && !exists && x.data_type == y.data_type {
                    edges.push((x.clone(), y.clone()));
                    out.push(Expr::Compare {
                        op: CompareOp::Eq,
                        left: Box::new(Expr::column(x)),
                        right: Box::new(Expr::column(y)),
                    });
                }
            }
        }
    }
    Ok(out)
}

/// Joins two trees with all predicates that become possible; `connected` tells whether keys must be equal among them.
fn combine(a: &Tree, b: &Tree, predicates: &[Predicate]) -> (Tree, bool) {
    let ids: HashSet<ColumnId> = a.ids.union(&b.ids).copied().collect();
    let applicable: Vec<Expr> = predicates
        .iter()
        .filter(|p| {
            let c = &p.columns;
            !c.is_empty() && c.is_subset(&ids) && !c.is_subset(&a.ids) && !c.is_subset(&b.ids)
        })
        .map(|p| p.expr.clone())
        .collect();
    let applicable = without_implied(applicable);
    let condition = Expr::and_all(applicable);
    let (keys, rest) = match &condition {
        Some(c) => equi_keys(c, &a.ids, &b.ids),
        None => (vec![], vec![]),
    };
    let connected = !keys.is_empty();
    let pairs: Vec<(Expr, Expr)> = keys.iter().map(|(l, r, _)| (l.clone(), r.clone())).collect();
    let rows = join_rows(&a.estimate, &b.estimate, &pairs).max(1.0);
    let mut columns = a.estimate.columns.clone();
    columns.extend(b.estimate.columns.iter().map(|(k, v)| (*k, v.clone())));
    for (l, r) in &pairs {
        // Both keys have the values that both have.
        if let (Expr::Column(x), Expr::Column(y)) = (l, r) {
            let d = match (a.estimate.distinct(x.id), b.estimate.distinct(y.id)) {
                (Some(p), Some(q)) => Some(p.min(q)),
                (p, q) => p.or(q),
            };
            for id in [x.id, y.id] {
                columns.entry(id).or_default().distinct = d;
            }
        }
    }
    let estimate = filtered(Estimate { rows, columns }, &rest);
    let build = a.estimate.rows.min(b.estimate.rows);
    let probe = a.estimate.rows.max(b.estimate.rows);
    // Without equal keys every pair is looked at.
    let work = if keys.is_empty() { a.estimate.rows * b.estimate.rows } else { probe + BUILD_WEIGHT * build };
    let cost = a.cost + b.cost + work + estimate.rows;
    // The larger side is the left one: it streams.
    let (left, right) = if a.estimate.rows >= b.estimate.rows { (a, b) } else { (b, a) };
    let join = Join {
        left: left.plan.clone(),
        right: right.plan.clone(),
        kind: JoinKind::Inner,
        condition,
        mark: None,
        null_aware: false,
        lateral: false,
    };
    (Tree { plan: Arc::new(LogicalPlan::Join(join)), estimate, ids, cost }, connected)
}

/// Of column equalities between two trees whose columns are equal within a tree anyway, one suffices; keeping all is right too
/// but compares twice. Here: of several equalities that share a column, the first.
fn without_implied(list: Vec<Expr>) -> Vec<Expr> {
    use vonk_types::CompareOp;
    let mut class: HashMap<ColumnId, usize> = HashMap::new();
    let mut next = 0;
    let mut out = Vec::with_capacity(list.len());
    for p in list {
        let pair = match &p {
            Expr::Compare { op: CompareOp::Eq, left, right } => match (left.as_ref(), right.as_ref()) {
                (Expr::Column(a), Expr::Column(b)) => Some((a.id, b.id)),
                _ => None,
            },
            _ => None,
        };
        let Some((a, b)) = pair else {
            out.push(p);
            continue;
        };
        match (class.get(&a).copied(), class.get(&b).copied()) {
            (Some(x), Some(y)) if x == y => continue,
            (Some(x), Some(y)) => class.values_mut().filter(|v| **v == y).for_each(|v| *v = x),
            (Some(x), None) => {
                class.insert(b, x);
            }
            (None, Some(y)) => {
                class.insert(a, y);
            }
            (None, None) => {
                class.insert(a, next);
                class.insert(b, next);
                next += 1;
            }
        }
        out.push(p);
    }
    out
}

fn dynamic(leaves: &[Tree], predicates: &[Predicate]) -> Result<Tree> {
    let n = leaves.len();
    let full = (1usize << n) - 1;
    let mut best: Vec<Option<Tree>> = vec![None; full + 1];
    for (i, leaf) in leaves.iter().enumerate() {
        best[1 << i] = Some(leaf.clone());
    }
    for set in 1..=full {
        if set.count_ones() < 2 {
            continue;
        }
        check_cancelled()?;
        let mut winner: Option<Tree> = None;
        let mut crossed: Option<Tree> = None;
        let mut part = (set - 1) & set;
        while part > 0 {
            let other = set & !part;
            if part > other {
                if let (Some(a), Some(b)) = (&best[part], &best[other]) {
                    let bound = winner.as_ref().map_or(f64::INFINITY, |w| w.cost);
                    if a.cost + b.cost < bound {
                        let (tree, connected) = combine(a, b, predicates);
                        // A cross product competes only where a side has one row (scalar aggregates): it multiplies rows, and
                        // keeps a predicate on one of its sides from filtering another branch of the tree early.
                        let single = a.estimate.rows.min(b.estimate.rows) <= 1.0;
                        let slot = if connected || single { &mut winner } else { &mut crossed };
                        if slot.as_ref().is_none_or(|w| tree.cost < w.cost) {
                            *slot = Some(tree);
                        }
                    }
                }
            }
            part = (part - 1) & set;
        }
        best[set] = winner.or(crossed);
    }
    // Every set has a tree: singletons do, and any two disjoint sets can be crossed.
    match best.swap_remove(full) {
        Some(t) => Ok(t),
        None => greedy(leaves.to_vec(), predicates),
    }
}

/// Two trees that might be joined next, by number.
struct Pair {
    members: (usize, usize),
    connected: bool,
    rows: f64,
}

/// Repeatedly joins the two trees whose join is smallest (Fegaras 1998), connected ones first. A pair is estimated once: each
/// step adds those of the new tree. More than [`GREEDY_LIMIT`] relations are joined as written.
fn greedy(leaves: Vec<Tree>, predicates: &[Predicate]) -> Result<Tree> {
    let search = leaves.len() <= GREEDY_LIMIT;
    let mut trees: BTreeMap<usize, Tree> = BTreeMap::new();
    let mut pairs: Vec<Pair> = Vec::new();
    let mut leaves = leaves.into_iter();
    let mut next = 0;
    loop {
        let best = (0..pairs.len()).min_by(|x, y| {
            let (x, y) = (&pairs[*x], &pairs[*y]);
            y.connected.cmp(&x.connected).then_with(|| x.rows.total_cmp(&y.rows))
        });
        // A search begins when all relations are there; else a relation is joined as soon as it comes.
        let leaf = if search || best.is_none() { leaves.next() } else { None };
        let new = match (leaf, best) {
            (Some(leaf), _) => leaf,
            (None, Some(best)) => {
                let (a, b) = pairs[best].members;
                let (Some(x), Some(y)) = (trees.remove(&a), trees.remove(&b)) else { continue };
                pairs.retain(|p| trees.contains_key(&p.members.0) && trees.contains_key(&p.members.1));
                combine(&x, &y, predicates).0
            }
            (None, None) => break,
        };
        for (number, other) in &trees {
            check_cancelled()?;
            let (joined, connected) = combine(other, &new, predicates);
            pairs.push(Pair { members: (*number, next), connected, rows: joined.estimate.rows });
        }
        trees.insert(next, new);
        next += 1;
    }
    match trees.pop_first() {
        Some((_, tree)) => Ok(tree),
        // There are two relations at least, and joining two trees leaves one.
        None => unreachable!("no relation to join"),
    }
}

//! Which parts of a plan are the same: they are evaluated once.
//!
//! 1. [`number`] gives each node a number, from the leaves up. Two nodes have the same one if they
//!    are of the same kind, say the same, have inputs with the same numbers, and are evaluated at
//!    the same steps: those of the query, or of the same subquery or invariant node around them.
//! 2. [`uses`] counts how often each number is evaluated, given that an input of nodes that are the
//!    same is evaluated for one of them only.

use std::collections::HashMap;

use super::{Call, Node, NodeKind, Range, RangeSource, Select, Shift};
use crate::ast::ValueType;

/// What is evaluated at other steps than its parent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Change {
    /// Once.
    Invariant,
    /// In steps of a subquery: its step, its range and where it looks.
    Subquery(i64, i64, Shift),
}

#[derive(Default)]
struct Numbering {
    /// By grid, by what a node says itself, and by its inputs.
    ids: HashMap<(usize, String, Vec<usize>), usize>,
    /// The grid of the whole query is 0.
    grids: HashMap<(usize, Change), usize>,
}

/// Numbers all nodes from 0, leaves first; leaves all of them 0 if there are not two selectors, for
/// then no two parts are equal.
pub(super) fn number(root: &mut Node) {
    if selectors(root) > 1 {
        Numbering::default().number(root, 0);
    }
}

fn selectors(node: &Node) -> usize {
    match &node.kind {
        NodeKind::Select(_) | NodeKind::Range(Range { source: RangeSource::Select(_), .. }) => 1,
        _ => node.inputs().into_iter().map(selectors).sum(),
    }
}

impl Numbering {
    fn number(&mut self, node: &mut Node, grid: usize) -> usize {
        let inputs = match &mut node.kind {
            NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::Select(_) => Vec::new(),
            NodeKind::Range(range) => self.number_range(range, grid),
            NodeKind::Aggregate(own) => {
                let nodes = [Some(&mut own.input), own.param.as_mut()];
                nodes.into_iter().flatten().map(|node| self.number(node, grid)).collect()
            }
            NodeKind::Binary(own) => {
                [&mut own.left, &mut own.right].map(|node| self.number(node, grid)).into()
            }
            NodeKind::Negate(inner) | NodeKind::Plus(inner) => vec![self.number(inner, grid)],
            NodeKind::Invariant(inner) => {
                let grid = self.grid(grid, Change::Invariant);
                vec![self.number(inner, grid)]
            }
            NodeKind::Call(call) => {
                call.args.iter_mut().map(|node| self.number(node, grid)).collect()
            }
        };
        let next = self.ids.len();
        node.id = *self.ids.entry((grid, own_words(node), inputs)).or_insert(next);
        node.id
    }

    fn number_range(&mut self, range: &mut Range, grid: usize) -> Vec<usize> {
        let RangeSource::Subquery(subquery) = &mut range.source else { return Vec::new() };
        let change = Change::Subquery(subquery.step_ms, range.range_ms, subquery.shift);
        let grid = self.grid(grid, change);
        vec![self.number(&mut subquery.node, grid)]
    }

    fn grid(&mut self, outer: usize, change: Change) -> usize {
        let next = self.grids.len() + 1;
        *self.grids.entry((outer, change)).or_insert(next)
    }
}

/// All that a node says beside its inputs. Numbers are told apart by their bits.
fn own_words(node: &Node) -> String {
    let fill = |fill: Option<f64>| fill.map(f64::to_bits);
    match &node.kind {
        NodeKind::Number(number) => format!("number {:x}", number.to_bits()),
        NodeKind::Text(text) => format!("text {text:?}"),
        NodeKind::Select(select) => format!("select {}", select_words(select)),
        NodeKind::Range(Range { source, range_ms }) => match source {
            RangeSource::Select(select) => format!("range {range_ms} {}", select_words(select)),
            RangeSource::Subquery(own) => {
                format!("subquery {range_ms} {} {:?}", own.step_ms, own.shift)
            }
        },
        NodeKind::Aggregate(own) => {
            format!("aggregate {:?} {:?} {}", own.op, own.grouping, own.param.is_some())
        }
        NodeKind::Binary(own) => {
            let matching = own.matching.as_ref().map(|own| {
                let fills = (fill(own.fill_left), fill(own.fill_right));
                (own.cardinality, &own.labels, &own.include, fills)
            });
            format!("binary {:?} {} {matching:?}", own.op, own.returns_bool)
        }
        NodeKind::Negate(_) => "negate".to_owned(),
        NodeKind::Plus(_) => "plus".to_owned(),
        NodeKind::Call(call) => format!("call {}", call.function.name),
        NodeKind::Invariant(_) => "invariant".to_owned(),
    }
}

fn select_words(select: &Select) -> String {
    let matchers: Vec<_> = select.matchers.iter().map(ToString::to_string).collect();
    let Select { shift, extension, counts_only, .. } = select;
    format!("{matchers:?} {shift:?} {extension:?} {counts_only}")
}

/// How often the vectors of each number are asked for, if they are evaluated once.
pub(crate) fn uses(root: &Node) -> HashMap<usize, u32> {
    let mut uses = HashMap::new();
    if root.id == 0 {
        return uses;
    }
    count(root, &mut uses);
    uses.retain(|_, count| *count > 1);
    uses
}

fn count(node: &Node, uses: &mut HashMap<usize, u32>) {
    if is_evaluated(node) {
        let count = uses.entry(node.id).or_insert(0);
        *count += 1;
        if *count > 1 {
            return;
        }
    }
    let is_looked_into = |input: &Node, index: usize| match &node.kind {
        // These look at samples or matchers of a selector, not at its values.
        NodeKind::Call(Call { function, .. }) => match function.name {
            "timestamp" | "start_timestamp" => matches!(input.kind, NodeKind::Select(_)),
            "info" => index == 1,
            _ => false,
        },
        _ => false,
    };
    for (index, input) in node.inputs().into_iter().enumerate() {
        if !is_looked_into(input, index) {
            count(input, uses);
        }
    }
}

/// Whether a node is a vector that is worth keeping; of an invariant one, what is below is.
fn is_evaluated(node: &Node) -> bool {
    node.value_type == ValueType::Vector && !matches!(node.kind, NodeKind::Invariant(_))
}

//! What Go's parser checks and the library's does not, and what differs in its trees.
//!
//! - Variables and functions that are not there are refused with Go's words.
//! - `$labels.x` becomes a call of [`FIELD`]: a label that is not there is an empty text, as in a
//!   Go map of texts.
//! - What is written goes through [`SHOW`]: the library writes large numbers without exponent.
//! - Templates that call themselves, and those that call others too often, are refused: that
//!   bounds the time which expanding takes.

use std::collections::{BTreeMap, BTreeSet};

use gotmpl::Template;
use gotmpl::parse::{BranchNode, CommandNode, Expr, ListNode, Node, PipeNode, Pos, SmolStr};

use super::functions::{FIELD, SHOW};

/// How often templates are called by one that has no loops.
const CALLS_MAX: u64 = 10_000;

/// What is wrong, and in which line.
pub(super) type Wrong = (usize, String);

/// Checks and changes every tree of `template`; `functions` are the names that can be called.
pub(super) fn prepare(
    mut template: Template,
    functions: &BTreeSet<&'static str>,
) -> Result<Template, Wrong> {
    let names: Vec<String> = template.templates().into_iter().map(str::to_owned).collect();
    let mut calls = BTreeMap::new();
    for name in names {
        let Some(mut tree) = template.lookup(&name).cloned() else { continue };
        let mut walk = Walk { functions, variables: vec!["$".into()], called: Vec::new() };
        walk.list(&mut tree)?;
        calls.insert(name.clone(), walk.called);
        template = template.add_parse_tree(&name, tree);
    }
    let mut counted = BTreeMap::new();
    for name in calls.keys() {
        count(name, &calls, &mut counted)?;
    }
    Ok(template)
}

/// How many calls a call of `name` makes, itself included.
fn count<'a>(
    name: &'a str,
    calls: &'a BTreeMap<String, Vec<(String, usize)>>,
    counted: &mut BTreeMap<&'a str, Option<u64>>,
) -> Result<u64, Wrong> {
    if let Some(known) = counted.get(name) {
        return known.ok_or_else(|| (1, format!("template {name:?} calls itself")));
    }
    counted.insert(name, None);
    let mut total = 1_u64;
    for (called, line) in calls.get(name).into_iter().flatten() {
        let further = count(called, calls, counted).map_err(|(_, what)| (*line, what))?;
        total = total.saturating_add(further);
        if total > CALLS_MAX {
            return Err((*line, format!("templates are called more than {CALLS_MAX} times")));
        }
    }
    counted.insert(name, Some(total));
    Ok(total)
}

struct Walk<'a> {
    functions: &'a BTreeSet<&'static str>,
    /// Those that are declared where the walk is.
    variables: Vec<SmolStr>,
    /// Templates that are called, and where.
    called: Vec<(String, usize)>,
}

impl Walk<'_> {
    fn list(&mut self, list: &mut ListNode) -> Result<(), Wrong> {
        list.nodes.iter_mut().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &mut Node) -> Result<(), Wrong> {
        match node {
            Node::List(list) => self.list(list),
            Node::Action(action) => {
                self.pipe(&mut action.pipe)?;
                if action.pipe.decl.is_empty() {
                    let (pos, args) = (action.pos, vec![Expr::Identifier(action.pos, SHOW.into())]);
                    action.pipe.commands.push(CommandNode { pos, args });
                }
                Ok(())
            }
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => self.branch(branch),
            Node::Template(call) => {
                self.called.push((call.name.to_string(), call.pos.line));
                call.pipe.iter_mut().try_for_each(|pipe| self.pipe(pipe))
            }
            Node::Text(_) | Node::Define(_) | Node::Break(_) | Node::Continue(_) => Ok(()),
        }
    }

    /// Variables that are declared in a branch end with it.
    fn branch(&mut self, branch: &mut BranchNode) -> Result<(), Wrong> {
        let before = self.variables.len();
        self.pipe(&mut branch.pipe)?;
        self.list(&mut branch.body)?;
        branch.else_body.iter_mut().try_for_each(|list| self.list(list))?;
        self.variables.truncate(before);
        Ok(())
    }

    fn pipe(&mut self, pipe: &mut PipeNode) -> Result<(), Wrong> {
        self.variables.extend(pipe.decl.iter().cloned());
        let args = pipe.commands.iter_mut().flat_map(|command| &mut command.args);
        args.into_iter().try_for_each(|arg| self.expr(arg))
    }

    fn expr(&mut self, expr: &mut Expr) -> Result<(), Wrong> {
        let changed = match expr {
            Expr::Identifier(pos, name) if !self.functions.contains(name.as_str()) => {
                return Err((pos.line, format!("function {:?} not defined", name.as_str())));
            }
            Expr::Variable(pos, name, _) if !self.variables.contains(name) => {
                return Err((pos.line, format!("undefined variable {:?}", name.as_str())));
            }
            Expr::Variable(pos, name, fields) if !fields.is_empty() => {
                field(*pos, Expr::Variable(*pos, name.clone(), Vec::new()), fields)
            }
            Expr::Field(pos, fields) => field(*pos, Expr::Dot(*pos), fields),
            Expr::Chain(pos, inner, fields) => {
                self.expr(inner)?;
                field(*pos, inner.as_ref().clone(), fields)
            }
            Expr::Pipe(_, pipe) => return self.pipe(pipe),
            _ => return Ok(()),
        };
        *expr = changed;
        Ok(())
    }
}

/// `(FIELD of "a" "b")` for `of.a.b`.
fn field(pos: Pos, of: Expr, fields: &[SmolStr]) -> Expr {
    let names = fields.iter().map(|name| Expr::String(pos, name.as_str().into()));
    let args = [Expr::Identifier(pos, FIELD.into()), of].into_iter().chain(names).collect();
    let commands = vec![CommandNode { pos, args }];
    Expr::Pipe(pos, PipeNode { pos, decl: Vec::new(), commands, is_assign: false })
}

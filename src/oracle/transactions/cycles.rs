//! Cycles of dependencies, by kind.
//!
//! Cycles are within strongly connected components, so that a history without any costs one walk over it. Each kind is looked
//! for by itself, with a shortest way back from the end of an edge that it must have.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::BUDGET;
use super::anomaly::{Anomaly, AnomalyKind};
use super::dependencies::{Dependencies, Relation};
use super::isolation::Isolation;

/// Returns one shortest cycle of each kind for each component; of the kinds with old reads only the gravest. Counts the edges that
/// it looks at, and ends early when these are too many.
pub(super) fn found<K: Debug, V: Debug>(
    dependencies: &Dependencies<'_, K, V>,
    isolation: Isolation,
    steps: &mut u64,
) -> Vec<Anomaly> {
    let relation = |edge: usize| dependencies.relation(edge);
    let is_write = |edge| matches!(relation(edge), Relation::WriteWrite | Relation::Time);
    let is_no_old_read = |edge| relation(edge) != Relation::ReadWrite;
    let mut search = Search { dependencies, steps, anomalies: Vec::new() };
    let plain = |is_allowed: &dyn Fn(usize) -> bool, edge: usize| is_allowed(edge).then_some(0);

    let of_writes = search.edges_within(is_write, Relation::WriteWrite);
    for edges in of_writes.values() {
        search.shortest(AnomalyKind::G0, edges, 0, |edge, _| plain(&is_write, edge));
    }
    if isolation >= Isolation::ReadCommitted {
        let of_reads = search.edges_within(is_no_old_read, Relation::WriteRead);
        for edges in of_reads.values() {
            search.shortest(AnomalyKind::G1c, edges, 0, |edge, _| plain(&is_no_old_read, edge));
        }
    }
    if isolation >= Isolation::Snapshot {
        let of_old_reads = search.edges_within(|_| true, Relation::ReadWrite);
        for edges in of_old_reads.values() {
            let is_single = search
                .shortest(AnomalyKind::GSingle, edges, 0, |edge, _| plain(&is_no_old_read, edge));
            // A mark tells whether the last edge was an old read; the way begins behind one, and ends behind another edge.
            let is_found = is_single
                || search.shortest(AnomalyKind::GNonadjacent, edges, 1, |edge, mark| {
                    let is_old = relation(edge) == Relation::ReadWrite;
                    (!is_old || mark == 0).then_some(usize::from(is_old))
                });
            if !is_found && isolation >= Isolation::Serializable {
                search.shortest(AnomalyKind::G2, &edges[..1], 0, |_, _| Some(0));
            }
        }
    }
    search.anomalies
}

struct Search<'a, 'b, K, V> {
    dependencies: &'a Dependencies<'b, K, V>,
    steps: &'a mut u64,
    anomalies: Vec<Anomaly>,
}

impl<K: Debug, V: Debug> Search<'_, '_, K, V> {
    /// Returns the edges of a relation within each component, by the edges that are allowed.
    fn edges_within(
        &self,
        is_allowed: impl Fn(usize) -> bool,
        relation: Relation,
    ) -> BTreeMap<usize, Vec<usize>> {
        let graph = &self.dependencies.graph;
        let components = graph.components(&is_allowed);
        let mut edges: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for edge in 0..self.dependencies.count() {
            let (from, to) = graph.ends(edge);
            if components[from] == components[to] && self.dependencies.relation(edge) == relation {
                edges.entry(components[from]).or_default().push(edge);
            }
        }
        edges
    }

    /// Looks for a shortest cycle through one of the edges, on by `next` from the mark `first`; tells whether there is one.
    fn shortest(
        &mut self,
        kind: AnomalyKind,
        edges: &[usize],
        first: usize,
        next: impl Fn(usize, usize) -> Option<usize>,
    ) -> bool {
        let graph = &self.dependencies.graph;
        let mut shortest: Option<Vec<usize>> = None;
        for &edge in edges {
            // Two edges are the least. What is not looked at is unknown, if nothing was found; of one edge it is known that there
            // is a way back.
            let is_spent = *self.steps >= BUDGET && edges.len() > 1;
            if shortest.as_ref().is_some_and(|cycle| cycle.len() == 2) || is_spent {
                break;
            }
            let (from, to) = graph.ends(edge);
            if let Some(way) = graph.way((to, first), from, &next, self.steps)
                && shortest.as_ref().is_none_or(|cycle| way.len() + 1 < cycle.len())
            {
                shortest = Some([&[edge][..], &way].concat());
            }
        }
        let Some(cycle) = shortest else { return false };
        let transactions = cycle.iter().map(|&edge| graph.ends(edge).0).collect();
        let explanation = self.dependencies.explained(&cycle);
        self.anomalies.push(Anomaly { kind, transactions, explanation });
        true
    }
}

//! Directed graphs, and cycles in them.

use std::collections::VecDeque;

/// A graph of nodes from 0 on; edges have numbers in the order in which they were added.
#[derive(Debug)]
pub(super) struct Graph {
    edges: Vec<(usize, usize)>,
    outgoing: Vec<Vec<usize>>,
}

impl Graph {
    pub(super) fn new(nodes: usize) -> Self {
        Self { edges: Vec::new(), outgoing: vec![Vec::new(); nodes] }
    }

    /// Adds an edge; its number is how many there were.
    pub(super) fn add(&mut self, from: usize, to: usize) {
        self.outgoing[from].push(self.edges.len());
        self.edges.push((from, to));
    }

    pub(super) fn ends(&self, edge: usize) -> (usize, usize) {
        self.edges[edge]
    }

    /// Returns for each node the number of its strongly connected component, by the edges that are allowed (Tarjan, 1972).
    pub(super) fn components(&self, is_allowed: impl Fn(usize) -> bool) -> Vec<usize> {
        let count = self.outgoing.len();
        let mut walk = Walk {
            index: vec![UNSEEN; count],
            low: vec![0; count],
            component: vec![UNSEEN; count],
            stack: Vec::new(),
            seen: 0,
            found: 0,
        };
        for root in 0..count {
            if walk.index[root] == UNSEEN {
                self.walk(root, &is_allowed, &mut walk);
            }
        }
        walk.component
    }

    /// Walks from one node on; not by recursion, because histories are long.
    fn walk(&self, root: usize, is_allowed: &impl Fn(usize) -> bool, walk: &mut Walk) {
        walk.enter(root);
        // Nodes on the way, each with how many of its edges were looked at.
        let mut way = vec![(root, 0)];
        while let Some((node, looked_at)) = way.last_mut() {
            let node = *node;
            if let Some(&edge) = self.outgoing[node].get(*looked_at) {
                *looked_at += 1;
                let to = self.edges[edge].1;
                if !is_allowed(edge) {
                    continue;
                }
                if walk.index[to] == UNSEEN {
                    walk.enter(to);
                    way.push((to, 0));
                } else if walk.component[to] == UNSEEN {
                    walk.low[node] = walk.low[node].min(walk.index[to]);
                }
            } else {
                way.pop();
                walk.leave(node);
                if let Some((before, _)) = way.last() {
                    walk.low[*before] = walk.low[*before].min(walk.low[node]);
                }
            }
        }
    }

    /// Returns the edges of a shortest way on which each edge may follow the one before it: `next` tells with which mark one
    /// goes on by an edge from a node that was come to with a mark, of two. The way begins with the mark `first` and ends at
    /// `to` with mark 0. Counts the edges that it looks at.
    pub(super) fn way(
        &self,
        (from, first): (usize, usize),
        to: usize,
        next: impl Fn(usize, usize) -> Option<usize>,
        steps: &mut u64,
    ) -> Option<Vec<usize>> {
        let mut came_by = std::collections::BTreeMap::new();
        let mut open = VecDeque::from([(from, first)]);
        while let Some((node, mark)) = open.pop_front() {
            if node == to && mark == 0 {
                return Some(self.way_back((from, first), (to, 0), &came_by));
            }
            for &edge in &self.outgoing[node] {
                *steps += 1;
                let Some(mark_after) = next(edge, mark) else { continue };
                let reached = (self.edges[edge].1, mark_after);
                if reached != (from, first) && !came_by.contains_key(&reached) {
                    came_by.insert(reached, (edge, mark));
                    open.push_back(reached);
                }
            }
        }
        None
    }

    fn way_back(
        &self,
        start: (usize, usize),
        mut at: (usize, usize),
        came_by: &std::collections::BTreeMap<(usize, usize), (usize, usize)>,
    ) -> Vec<usize> {
        let mut edges = Vec::new();
        while at != start {
            let (edge, mark) = came_by[&at];
            edges.push(edge);
            at = (self.edges[edge].0, mark);
        }
        edges.reverse();
        edges
    }
}

#[derive(Debug)]
struct Walk {
    index: Vec<usize>,
    low: Vec<usize>,
    component: Vec<usize>,
    stack: Vec<usize>,
    seen: usize,
    found: usize,
}

impl Walk {
    fn enter(&mut self, node: usize) {
        self.index[node] = self.seen;
        self.low[node] = self.seen;
        self.seen += 1;
        self.stack.push(node);
    }

    fn leave(&mut self, node: usize) {
        if self.low[node] < self.index[node] {
            return;
        }
        while let Some(member) = self.stack.pop() {
            self.component[member] = self.found;
            if member == node {
                break;
            }
        }
        self.found += 1;
    }
}

const UNSEEN: usize = usize::MAX;

#[cfg(test)]
mod tests {
    use super::Graph;

    #[test]
    fn components_and_ways_are_those_of_a_graph_with_two_cycles() {
        let mut graph = Graph::new(6);
        for (from, to) in [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3), (5, 5)] {
            graph.add(from, to);
        }
        let of = graph.components(|_| true);
        assert!(of[0] == of[1] && of[1] == of[2] && of[3] == of[4]);
        assert!(of[0] != of[3] && of[5] != of[0] && of[5] != of[3]);
        let without = graph.components(|edge| edge != 1);
        assert!(without[0] != without[1] && without[3] == without[4]);
        let mut steps = 0;
        assert_eq!(graph.way((0, 0), 4, |_, mark| Some(mark), &mut steps), Some(vec![0, 1, 3, 4]));
        assert_eq!(graph.way((4, 0), 0, |_, mark| Some(mark), &mut steps), None);
        assert_eq!(
            graph.way((0, 1), 0, |edge, _| Some(usize::from(edge != 2)), &mut steps),
            Some(vec![0, 1, 2])
        );
        assert!(steps > 0);
    }
}

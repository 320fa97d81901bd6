//! Looks for one order of all operations that explains what they found.
//!
//! Each operation is a moment between its begin and its end. The stored logs order the writers of each log. What an operation has
//! found in a log comes after the writer of the last event that it found, and before the writer of the next one. All this is a
//! graph, and an order exists if it has no circle.

use super::{Evidence, Rule, value_of};
use crate::concurrency::history::{Ground, Operation, Outcome};
use eventlogs::ids::LogId;
use std::collections::HashMap;

pub(super) fn check(evidence: &mut Evidence<'_>) {
    let circle = Graph::of(evidence).circle();
    evidence.unless(circle.is_empty(), Rule::Order, || {
        let operations = circle.iter().map(|operation| format!("\n  {operation:?}"));
        format!(
            "each before the next, and the last before the first:{}",
            operations.collect::<String>()
        )
    });
}

/// A node of the graph.
#[derive(Debug, Clone, Copy)]
enum Node<'a> {
    /// The moment of an operation. One that was a replay has several, one per log that it read.
    Moment(&'a Operation),
    /// The end of an operation. These are in the order of the clock, so that an edge to the last one stands for edges from all
    /// operations that ended before.
    End,
}

/// The moments, and which come after which.
#[derive(Default)]
struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    /// The nodes that come after each node.
    later: Vec<Vec<usize>>,
    /// The writer of each value.
    writers: HashMap<u64, usize>,
}

impl<'a> Graph<'a> {
    fn of(evidence: &Evidence<'a>) -> Self {
        let mut graph = Self::default();
        for operation in evidence.history {
            if evidence.took_effect(operation) {
                let node = graph.add(Node::Moment(operation));
                let values = operation.values().map(|value| (value, node));
                graph.writers.extend(values);
            }
        }
        for records in evidence.stored.values() {
            let writers = records
                .iter()
                .filter_map(|record| graph.writers.get(&value_of(record)));
            let writers: Vec<_> = writers.copied().collect();
            for pair in writers.windows(2) {
                graph.order(pair[0], pair[1]);
            }
        }
        let mut originals = HashMap::new();
        for (node, writer) in graph.nodes.iter().enumerate() {
            if let Node::Moment(Operation { key: Some(key), .. }) = writer {
                originals.insert(key, node);
            }
        }
        for operation in evidence.history {
            let key = operation.key.as_ref();
            let original = key.and_then(|key| originals.get(key).copied());
            graph.place(evidence, operation, original);
        }
        graph.follow_the_clock();
        graph
    }

    /// Adds the moments of an operation, and what is known of them. `original` has used the key of the operation.
    fn place(
        &mut self,
        evidence: &Evidence<'_>,
        operation: &'a Operation,
        original: Option<usize>,
    ) {
        let writer = operation.values().next();
        let writer = writer.and_then(|value| self.writers.get(&value).copied());
        let seen = operation
            .seen
            .iter()
            .map(|(state, _)| (state.log_id(), state.index() + 1));
        let looks = operation
            .looks
            .iter()
            .map(|look| (look.log_id, look.events()));
        match operation.outcome {
            Outcome::Written(_) | Outcome::Unknown => {
                if let Some(moment) = writer {
                    let found: Vec<_> = looks.chain(seen).collect();
                    self.found(evidence, moment, &found);
                }
            }
            Outcome::Nothing => {
                let moment = self.add(Node::Moment(operation));
                let found: Vec<_> = looks.chain(seen).collect();
                self.found(evidence, moment, &found);
                // A decision writes nothing only if its key is new.
                self.order_some(Some(moment), original);
            }
            Outcome::Replayed(_) | Outcome::ReplayedAll(_) | Outcome::Reused { .. } => {
                let moment = self.add(Node::Moment(operation));
                self.order_some(original, Some(moment));
                for seen in seen {
                    let moment = self.add(Node::Moment(operation));
                    self.order_some(original, Some(moment));
                    self.found(evidence, moment, &[seen]);
                }
            }
            Outcome::NotFound(log_id) => {
                let moment = self.add(Node::Moment(operation));
                self.found(evidence, moment, &[(log_id, 0)]);
            }
            Outcome::Conflict(log_id) | Outcome::Exists(log_id) => {
                let obstacle = match operation.ground(log_id) {
                    Some(Ground::New) => 0,
                    Some(Ground::After(state)) => state.index() + 1,
                    // Each of its attempts may have met another obstacle.
                    Some(Ground::Decided) | None => return,
                };
                let moment = self.add(Node::Moment(operation));
                self.order_some(self.writer(evidence, log_id, obstacle), Some(moment));
                self.order_some(Some(moment), original);
            }
            Outcome::Failed(_) => {}
        }
    }

    /// At this moment, each of these logs had this number of events.
    fn found(&mut self, evidence: &Evidence<'_>, moment: usize, found: &[(LogId, u64)]) {
        for (log_id, events) in found {
            let last = events.checked_sub(1);
            let last = last.and_then(|last| self.writer(evidence, *log_id, last));
            self.order_some(last, Some(moment));
            self.order_some(Some(moment), self.writer(evidence, *log_id, *events));
        }
    }

    fn writer(&self, evidence: &Evidence<'_>, log_id: LogId, index: u64) -> Option<usize> {
        let value = value_of(evidence.record(log_id, index)?);
        self.writers.get(&value).copied()
    }

    fn add(&mut self, node: Node<'a>) -> usize {
        self.nodes.push(node);
        self.later.push(Vec::new());
        self.nodes.len() - 1
    }

    fn order(&mut self, earlier: usize, later: usize) {
        if earlier != later {
            self.later[earlier].push(later);
        }
    }

    fn order_some(&mut self, earlier: Option<usize>, later: Option<usize>) {
        if let (Some(earlier), Some(later)) = (earlier, later) {
            self.order(earlier, later);
        }
    }

    /// What ended before something else began comes first.
    fn follow_the_clock(&mut self) {
        let mut times = Vec::new();
        for (node, moment) in self.nodes.iter().enumerate() {
            if let Node::Moment(operation) = moment {
                times.push((operation.invoked, None, node));
                times.extend(operation.ended().map(|ended| (ended, Some(()), node)));
            }
        }
        times.sort_unstable();
        let mut last_end = None;
        for (_, ends, node) in times {
            if ends.is_none() {
                self.order_some(last_end, Some(node));
                continue;
            }
            let end = self.add(Node::End);
            self.order_some(last_end, Some(end));
            self.order(node, end);
            last_end = Some(end);
        }
    }

    /// Returns operations that come before each other in a circle; none if there is no circle.
    fn circle(&self) -> Vec<&'a Operation> {
        let mut earlier = vec![0; self.nodes.len()];
        for later in self.later.iter().flatten() {
            earlier[*later] += 1;
        }
        let mut free: Vec<_> = (0..self.nodes.len())
            .filter(|node| earlier[*node] == 0)
            .collect();
        while let Some(node) = free.pop() {
            for later in &self.later[node] {
                earlier[*later] -= 1;
                if earlier[*later] == 0 {
                    free.push(*later);
                }
            }
        }
        // What is left has something before it that is left, too. So the way back leads into a circle.
        let is_left = |node: usize| earlier[node] > 0;
        let mut before = HashMap::new();
        for node in (0..self.nodes.len()).filter(|node| is_left(*node)) {
            for later in self.later[node].iter().filter(|later| is_left(**later)) {
                before.insert(*later, node);
            }
        }
        let mut way = Vec::new();
        let Some(mut node) = before.keys().copied().min() else {
            return Vec::new();
        };
        while !way.contains(&node) {
            way.push(node);
            node = before[&node];
        }
        let circle = way.iter().skip_while(|begin| **begin != node);
        let circle = circle.filter_map(|node| match self.nodes[*node] {
            Node::Moment(operation) => Some(operation),
            Node::End => None,
        });
        let mut circle: Vec<_> = circle.collect();
        circle.reverse();
        circle
    }
}

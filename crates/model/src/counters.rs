//! What was seen and what was lost, by name. Plain integers, one set per shard, added up when someone asks.

macro_rules! counters {
    (@ loss) => { true };
    (@) => { false };
    ($($(#[doc = $doc:literal])+ $name:ident $(: $loss:ident)?,)+) => {
        /// What a shard counted.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Counters {
            /// Adds what another shard counted.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }

            /// Name, value and meaning of each.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64, &'static str)> {
                [$((stringify!($name), self.$name, concat!($($doc),+).trim_ascii())),+].into_iter()
            }

            /// The same for those that count something lost: seen or sent, and not told.
            pub fn losses(&self) -> impl Iterator<Item = (&'static str, u64, &'static str)> {
                const LOSSES: &[bool] = &[$(counters!(@ $($loss)?)),+];
                self.iter().zip(LOSSES).filter_map(|(counter, loss)| loss.then_some(counter))
            }
        }
    };
}

counters! {
    /// Frames handed to decoding.
    packets,
    /// Their bytes on the wire.
    bytes,
    /// Frames that the kernel dropped because the ring was full.
    kernel_drops: loss,
    /// Frames that did not belong to a flow: ARP and everything else above the link layer that is not IP.
    not_ip,
    /// Frames of a link type that is not decoded.
    unknown_link: loss,
    /// Frames whose headers contradict themselves.
    malformed: loss,
    /// Frames that were captured shorter than their headers say.
    truncated: loss,
    /// The same packet seen again on another interface.
    duplicates,
    /// IP fragments.
    fragments,
    /// Fragments given up: the rest never came, they overlapped, or too many were waiting.
    fragments_dropped: loss,
    /// Packets handed to the shard that owns their flow.
    handed_over,
    /// Packets that could not be handed over because the other shard's queue was full.
    hand_over_drops: loss,
    /// Flows begun.
    flows,
    /// Flows ended before their time because too many were open.
    flows_evicted: loss,
    /// TCP segments with data already seen.
    retransmits,
    /// TCP segments that came before an earlier one.
    out_of_order,
    /// TCP segments partly over data already seen.
    overlaps,
    /// Holes in TCP streams that nothing filled.
    gaps: loss,
    /// Bytes in those holes.
    gap_bytes: loss,
    /// Out-of-order data given up because the memory budget or the flow's limit was spent.
    reassembly_drops: loss,
    /// Messages a protocol could not make sense of.
    unparsed: loss,
    /// Flows whose decoding was given up.
    parsers_lost: loss,
    /// Flows that live capture stopped decoding because they were the noisiest while it could not keep up.
    flows_given_up: loss,
    /// New flows that live capture did not decode because it could not keep up: one of eight is.
    flows_not_decoded: loss,
    /// Flows not decoded because the memory budget was spent.
    parsers_refused: loss,
    /// Bodies cut or not kept because of a limit or the memory budget.
    bodies_cut: loss,
    /// Records left out of an event because a list was too long.
    records_cut: loss,
    /// Requests still waiting for an answer when too many did.
    pending_evicted: loss,
    /// Requests that stayed without an answer.
    unmatched_requests,
    /// Answers to no request that was seen.
    unmatched_responses,
    /// Values masked.
    redacted,
    /// Events completed.
    events,
    /// Events that live capture gave up because the collector's queue was full.
    events_dropped: loss,
    /// Events that could not be kept: the disk was full or failed.
    events_refused: loss,
}

#[cfg(test)]
mod tests {
    use super::Counters;

    #[test]
    fn adds_and_names() {
        let mut a = Counters { packets: 2, ..Counters::default() };
        a.add(&Counters { packets: 3, gaps: 1, ..Counters::default() });
        let named: Vec<_> = a.iter().filter(|(_, v, _)| *v > 0).map(|(n, v, _)| (n, v)).collect();
        assert_eq!(named, [("packets", 5), ("gaps", 1)]);
        assert!(a.iter().all(|(_, _, doc)| doc.ends_with('.') && doc.len() > 10));
        let losses: Vec<_> = a.losses().map(|(name, _, _)| name).collect();
        // What the name says is a loss is one.
        let words = ["drop", "lost", "refused", "evicted", "cut"];
        let named: Vec<_> = a.iter().map(|c| c.0).filter(|n| words.iter().any(|w| n.contains(w))).collect();
        assert!(named.len() > 9 && named.iter().all(|name| losses.contains(name)), "{losses:?}");
        assert!(!losses.contains(&"packets") && !losses.contains(&"redacted"));
    }
}

//! Which records belong together, when several are the same.
//!
//! Two groups are joined while their members are, on average over all pairs between them, likelier the same than not. So
//! one doubtful pair does not chain two groups together, and a pair that says little by itself is found by its company.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, HashMap},
};

/// Two groups that may be one.
struct Link {
    alikeness: f64,
    one: u32,
    other: u32,
    /// The sizes they had when that was found out.
    sizes: (usize, usize),
}

impl Ord for Link {
    fn cmp(&self, other: &Self) -> Ordering {
        self.alikeness
            .total_cmp(&other.alikeness)
            .then((other.one, other.other).cmp(&(self.one, self.other)))
    }
}

impl PartialOrd for Link {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Link {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Link {}

/// Groups of two and more, the members in order. `links` are pairs that may be the same, and how likely; `alike` tells it
/// of any pair.
pub(super) fn groups(
    links: &[(u32, u32, f64)],
    least: f64,
    mut alike: impl FnMut(u32, u32) -> f64,
) -> Vec<Vec<u32>> {
    let mut known: HashMap<(u32, u32), f64> = HashMap::new();
    let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut near: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut heap = BinaryHeap::new();
    for (one, other, alikeness) in links {
        known.insert((*one, *other), *alikeness);
        for (a, b) in [(one, other), (other, one)] {
            members.entry(*a).or_insert_with(|| vec![*a]);
            near.entry(*a).or_default().push(*b);
        }
        heap.push(Link {
            alikeness: *alikeness,
            one: *one,
            other: *other,
            sizes: (1, 1),
        });
    }
    let size =
        |members: &HashMap<u32, Vec<u32>>, group: u32| members.get(&group).map_or(0, Vec::len);
    while let Some(link) = heap.pop() {
        if link.alikeness < least {
            break;
        }
        // A group that is gone, or has grown since, was looked at again.
        if (size(&members, link.one), size(&members, link.other)) != link.sizes {
            continue;
        }
        let taken = members.remove(&link.other).unwrap_or_default();
        if let Some(group) = members.get_mut(&link.one) {
            group.extend(taken);
        }
        let mut around = near.remove(&link.other).unwrap_or_default();
        around.extend(near.remove(&link.one).unwrap_or_default());
        around.sort_unstable();
        around.dedup();
        around.retain(|group| *group != link.one && members.contains_key(group));
        for group in &around {
            let between = members[&link.one]
                .iter()
                .flat_map(|a| members[group].iter().map(move |b| (*a.min(b), *a.max(b))));
            let (mut sum, mut pairs) = (0.0, 0_u32);
            for pair in between {
                sum += *known.entry(pair).or_insert_with(|| alike(pair.0, pair.1));
                pairs += 1;
            }
            near.entry(*group).or_default().push(link.one);
            heap.push(Link {
                alikeness: sum / f64::from(pairs.max(1)),
                one: link.one,
                other: *group,
                sizes: (size(&members, link.one), size(&members, *group)),
            });
        }
        near.insert(link.one, around);
    }
    let mut groups: Vec<Vec<u32>> = members
        .into_values()
        .filter(|group| group.len() > 1)
        .map(|mut group| {
            group.sort_unstable();
            group
        })
        .collect();
    groups.sort_unstable();
    groups
}

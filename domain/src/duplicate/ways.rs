//! In which ways pairs agree.

use std::collections::HashMap;

use super::compare::Agreements;

/// In which ways some pairs agree. There are far fewer ways than pairs: each is kept once, with how many pairs agree so.
#[derive(Debug, Default)]
pub(super) struct Ways {
    places: HashMap<Agreements, u32>,
    ways: Vec<(Agreements, f64)>,
}

impl Ways {
    /// Takes note of a pair, and gives the place of its way.
    pub fn add(&mut self, agreements: Agreements) -> u32 {
        let next = u32::try_from(self.ways.len()).unwrap_or(u32::MAX);
        let place = *self.places.entry(agreements).or_insert(next);
        match self.ways.get_mut(place as usize) {
            Some((_, pairs)) => *pairs += 1.0,
            None => self.ways.push((agreements, 1.0)),
        }
        place
    }

    /// Each way, with how many pairs agree so.
    pub fn iter(&self) -> impl Iterator<Item = (&Agreements, f64)> {
        self.ways
            .iter()
            .map(|(agreements, pairs)| (agreements, *pairs))
    }
}

impl FromIterator<Agreements> for Ways {
    fn from_iter<I: IntoIterator<Item = Agreements>>(pairs: I) -> Self {
        let mut ways = Self::default();
        for agreements in pairs {
            ways.add(agreements);
        }
        ways
    }
}

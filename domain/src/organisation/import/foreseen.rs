//! What is new in a file, compared with what there is before anything is locked.

use std::{
    collections::{HashMap, HashSet},
    io::Read,
};

use chrono::{DateTime, Utc};
use entity::ids::OrganisationId;
use sea_orm::ConnectionTrait;

use super::{Organisations, columns, known};
use crate::{
    error::Result,
    import::{
        Told,
        table::{File, ImportError, Reading},
    },
    organisation::duplicates::{Candidate, Pair, Search, search_with},
    store::Tx,
};

/// What was found when a file was looked through.
#[derive(Debug, Default)]
pub(super) struct Foreseen {
    /// Which ids those get that are new, by their keys.
    ids: HashMap<String, OrganisationId>,
    created: HashSet<OrganisationId>,
    /// None when nothing was compared.
    search: Option<Search>,
}

impl Foreseen {
    /// Looks through a file. `trial` knows what makes a row good.
    pub async fn of<R: Read + Send>(
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        mut trial: Organisations,
        file: File<'_, R>,
    ) -> std::result::Result<Self, ImportError> {
        let mut reading = Reading::<Organisations, R>::of(file, &columns(&trial.fields))?;
        let mut ids = HashMap::new();
        let mut new = Vec::new();
        while let Some(chunk) = reading.next()? {
            let good = trial.check_all(chunk.rows);
            let known = known(db, &good).await?;
            for row in good {
                // The second of one key, where the first is no longer remembered, is refused.
                if known.contains_key(&row.key) || ids.contains_key(&row.key) {
                    continue;
                }
                let id = OrganisationId::new_at(now);
                new.push(Candidate::new(id, &row.profile));
                ids.insert(row.key, id);
            }
            if new.len() > trial.lines.most() {
                return Ok(Self::default());
            }
        }
        if new.is_empty() {
            return Ok(Self::default());
        }
        new.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
        Ok(Self {
            ids,
            created: HashSet::new(),
            search: Some(search_with(db, now, new).await?),
        })
    }

    /// The id of what is being created, if it was foreseen.
    pub fn take(&mut self, key: &str) -> Option<OrganisationId> {
        let id = self.ids.remove(key)?;
        self.created.insert(id);
        Some(id)
    }

    /// Keeps the pairs that were found, and tells those with something in them that was created. What came between the search
    /// and the change is in none of them: the next search finds it. None when nothing was compared.
    pub async fn keep(self, tx: &mut Tx) -> Result<Option<Told<Pair>>> {
        let Some(search) = self.search else {
            return Ok(None);
        };
        search.keep(tx).await?;
        // What was foreseen and has not come, since others added it meanwhile.
        let never: HashSet<OrganisationId> = self.ids.into_values().collect();
        let is_there =
            |pair: &Pair| !never.contains(&pair.one.id) && !never.contains(&pair.other.id);
        let pairs = search.pairs_with(&self.created);
        Ok(Some(pairs.into_iter().filter(is_there).collect()))
    }
}

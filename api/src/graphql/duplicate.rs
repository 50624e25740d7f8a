//! What pairs of records that are likely the same have in common, whatever the records are (policy 1).

use async_graphql::{Context, Enum, OutputType, Result, SimpleObject};
use domain::duplicate::{
    self, Field,
    kept::{self, Row, Subject},
};
use serde::de::DeserializeOwned;

use super::{
    connection::{Connection, PageArgs, connect},
    store, viewer,
};

/// What one field says for or against two records being the same.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct DuplicateEvidence {
    /// The field.
    field: Option<DuplicateField>,
    /// How far they agree in it: 0 differs, 1 is the same.
    agreement: Option<f64>,
    /// What that says, in bits: 1 makes it twice as likely that they are the same, -1 half as likely.
    weight: Option<f64>,
}

impl From<duplicate::Evidence> for DuplicateEvidence {
    fn from(evidence: duplicate::Evidence) -> Self {
        Self {
            field: Some(evidence.field.into()),
            agreement: Some(evidence.agreement),
            weight: Some(evidence.weight),
        }
    }
}

/// What is compared of two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Field")]
pub enum DuplicateField {
    /// The names.
    Name,
    /// Address and postcode together.
    Place,
    /// The telephone numbers; of organisations, those of their contacts.
    Telephone,
    /// The domains of web site and mail.
    Domain,
    /// The company number.
    Number,
    /// Of contacts: where they work.
    Organisation,
    /// Of contacts: the e-mail address.
    Email,
    /// Of contacts: the job title.
    JobTitle,
}

/// A list that is kept as JSON.
pub fn told<T: DeserializeOwned, N: From<T>>(kept: &serde_json::Value) -> Result<Vec<N>> {
    let read = serde_json::from_value::<Vec<T>>(kept.clone()).map_err(domain::Error::from)?;
    Ok(read.into_iter().map(Into::into).collect())
}

/// One page of the pairs of such records, the most alike first.
pub async fn list<S: Subject, N: OutputType>(
    ctx: &Context<'_>,
    name: &'static str,
    page: &PageArgs,
    node: impl Fn(Row<S>) -> N,
) -> Result<Connection<N>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        name,
        page,
        async |page| kept::list::<S>(store.reader(), viewer, store.now(), &page).await,
        kept::key::<S>,
        node,
        move || {
            let (store, viewer) = counted.clone();
            async move { kept::count::<S>(store.reader(), &viewer, store.now()).await }
        },
    )
    .await
}

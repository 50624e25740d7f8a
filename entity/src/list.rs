//! Short lists that live in one column, as JSON.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use crate::ids::TagId;

/// A short list of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct TextList(pub Vec<String>);

/// A short list of numbers of minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct MinuteList(pub Vec<i32>);

/// A short list of tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct IdList(pub Vec<TagId>);

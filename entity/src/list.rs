//! Short lists that live in one column, as JSON.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use crate::{
    contact::SubscriberType,
    ids::{ProfileFieldId, TagId},
};

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

/// A short list of subscriber types.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct SubscriberTypeList(pub Vec<SubscriberType>);

/// What a field of a profile is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SoughtField {
    /// The field.
    pub profile_field_id: ProfileFieldId,
    /// The value; none is any.
    pub value: Option<String>,
    /// The least number or the first day that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    /// The greatest number or the last day that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<String>,
}

/// A short list of what fields of profiles are to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct SoughtFieldList(pub Vec<SoughtField>);

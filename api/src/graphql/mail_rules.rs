//! The rules of bulk mail for the whole campus (policy 2.5).

use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use domain::{
    RefusalCode, Refusals,
    mail_rules::{self as rules, MailRules as Rules, Rate, RateSyntaxError},
};

use super::{
    begin,
    errors::{Payload, payload},
    store, viewer,
};

/// Queries about the rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct MailRulesQuery;

/// Mutations of the rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct MailRulesMutation;

/// The rules, and the version that a change is made to.
#[derive(Clone, Copy, Debug)]
pub struct MailRules(Rules, i32);

impl From<(Rules, i32)> for MailRules {
    fn from((rules, version): (Rules, i32)) -> Self {
        Self(rules, version)
    }
}

/// The rules of bulk mail for the whole campus.
#[Object]
impl MailRules {
    /// A campaign to more recipients than this needs the approval of a second sender; null asks for none.
    async fn review_above(&self) -> Option<u32> {
        self.0.review_above
    }

    /// How many bulk mails a contact gets in a period at most; null sets no limit.
    async fn contact_cap(&self) -> Option<u32> {
        self.0.contact_cap
    }

    /// How many the contacts of one organisation get together; null sets no limit.
    async fn organisation_cap(&self) -> Option<u32> {
        self.0.organisation_cap
    }

    /// How long the period is, in days.
    async fn cap_days(&self) -> Option<u32> {
        Some(self.0.cap_days)
    }

    /// The hour of the day, by the clock of the time zone of an organisation, from which it is sent no bulk mail; null when
    /// there are no quiet hours.
    async fn quiet_from(&self) -> Option<u32> {
        self.0.quiet_from
    }

    /// The hour from which it is sent again.
    async fn quiet_until(&self) -> Option<u32> {
        self.0.quiet_until
    }

    /// How many mails go out at most, all processes together, such as `50/s`, `600/min` or `20/10s`; null is what the
    /// processes were started with.
    async fn mail_rate(&self) -> Option<String> {
        self.0.mail_rate.map(|rate| rate.to_string())
    }

    /// The same for the recipients of any one domain.
    async fn domain_rate(&self) -> Option<String> {
        self.0.domain_rate.map(|rate| rate.to_string())
    }

    /// Raised at every change; `updateMailRules` asks for it.
    async fn version(&self) -> Option<i32> {
        Some(self.1)
    }
}

/// What is to be other about the rules; what is left out stays as it is.
#[derive(Debug, InputObject)]
pub struct UpdateMailRulesInput {
    /// The version that the change is made to.
    version: i32,
    /// A campaign to more recipients than this needs the approval of a second sender; null asks for none.
    review_above: MaybeUndefined<u32>,
    /// How many bulk mails a contact gets in a period at most; null sets no limit.
    contact_cap: MaybeUndefined<u32>,
    /// How many the contacts of one organisation get together; null sets no limit.
    organisation_cap: MaybeUndefined<u32>,
    /// How long the period is, in days.
    cap_days: Option<u32>,
    /// The hour of the day from which an organisation is sent no bulk mail, 0 to 23; null, with the other hour, for no quiet
    /// hours.
    quiet_from: MaybeUndefined<u32>,
    /// The hour from which it is sent again, 0 to 23.
    quiet_until: MaybeUndefined<u32>,
    /// How many mails go out at most, such as `50/s`, `600/min` or `20/10s`; null is what the processes were started with.
    mail_rate: MaybeUndefined<String>,
    /// The same for the recipients of any one domain.
    domain_rate: MaybeUndefined<String>,
}

payload! {
    /// What became of a change of the rules.
    UpdateMailRulesPayload {
        /// The rules as they are now.
        rules: MailRules,
    }
}

#[Object]
impl MailRulesQuery {
    /// The rules of bulk mail for the whole campus.
    async fn mail_rules(&self, ctx: &Context<'_>) -> Option<Result<MailRules>> {
        Some(load(ctx).await)
    }
}

#[Object]
impl MailRulesMutation {
    /// Sets the rules of bulk mail. Caps and reviews hold for campaigns that start from now on, quiet hours and
    /// rates for every mail that is claimed from now on.
    async fn update_mail_rules(
        &self,
        ctx: &Context<'_>,
        input: UpdateMailRulesInput,
    ) -> Result<UpdateMailRulesPayload> {
        let mut tx = begin(ctx).await?;
        let (now, _) = Rules::load(tx.conn()).await?;
        let or =
            |given: MaybeUndefined<u32>, now| Option::<Option<u32>>::from(given).unwrap_or(now);
        let mut refusals = Refusals::default();
        let mail_rate = rate(input.mail_rate, now.mail_rate, "mailRate", &mut refusals);
        let domain_rate = rate(
            input.domain_rate,
            now.domain_rate,
            "domainRate",
            &mut refusals,
        );
        if let Err(refused) = refusals.into_result() {
            return UpdateMailRulesPayload::commit::<MailRules>(tx, Err(refused)).await;
        }
        let wanted = Rules {
            review_above: or(input.review_above, now.review_above),
            contact_cap: or(input.contact_cap, now.contact_cap),
            organisation_cap: or(input.organisation_cap, now.organisation_cap),
            cap_days: input.cap_days.unwrap_or(now.cap_days),
            quiet_from: or(input.quiet_from, now.quiet_from),
            quiet_until: or(input.quiet_until, now.quiet_until),
            mail_rate,
            domain_rate,
        };
        let updated = rules::update(&mut tx, viewer(ctx)?, input.version, wanted).await;
        UpdateMailRulesPayload::commit(tx, updated).await
    }
}

/// The rate that is wanted: the one that was given, or the one that holds.
fn rate(
    given: MaybeUndefined<String>,
    now: Option<Rate>,
    field: &'static str,
    refusals: &mut Refusals,
) -> Option<Rate> {
    match given {
        MaybeUndefined::Undefined => now,
        MaybeUndefined::Null => None,
        MaybeUndefined::Value(text) => text
            .parse()
            .map_err(|error: RateSyntaxError| {
                refusals.add(RefusalCode::Invalid, field, error.to_string());
            })
            .ok(),
    }
}

async fn load(ctx: &Context<'_>) -> Result<MailRules> {
    Ok(Rules::load(store(ctx)?.reader()).await?.into())
}

//! What everybody may ask for in a minute, measured by the cost of operations: the budget of an account, or of the network
//! address of those who aren't signed in.
//!
//! # What holds
//! In no window of a minute, wherever it begins, are operations carried out for one payer that cost more together than the
//! budget. Costs are counted by the second in which they were allowed, and 61 of those seconds count at any time, so that
//! every minute lies within them. With Redis the count is one over all processes; a script looks and counts at once.
//!
//! # When Redis can't be asked
//! the API answers all the same, and each process counts by itself until Redis is back: `n` processes allow at most `n`
//! budgets. Mail waits when its limit can't be kept, because a mail can't be taken back; reading can wait for nobody.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use domain::{Viewer, clock::Clock, session::subscriber};
use entity::ids::UserId;

mod redis;
mod slots;

pub use self::redis::RedisBudget;
use self::slots::Ledger;

/// How much may be spent in a minute; 0 for any amount.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowances {
    /// By an account.
    pub account: u64,
    /// By a network address, for all at it who aren't signed in.
    pub address: u64,
}

/// Who pays for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payer {
    /// The account that is signed in.
    Account(UserId),
    /// A network address; of IPv6 the network of one customer, which has more addresses than anybody can count.
    Address(IpAddr),
}

impl Payer {
    /// Who pays for what this viewer asks from there.
    #[must_use]
    pub fn of(viewer: &Viewer, address: Option<IpAddr>) -> Self {
        match (viewer.user_id(), address) {
            (Some(account), _) => Self::Account(account),
            (None, Some(address)) => Self::Address(subscriber(address)),
            (None, None) => Self::Address(Ipv6Addr::UNSPECIFIED.into()),
        }
    }

    const fn allowance(self, allowances: Allowances) -> u64 {
        match self {
            Self::Account(_) => allowances.account,
            Self::Address(_) => allowances.address,
        }
    }
}

impl fmt::Display for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => account.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// How a budget stands after an operation was paid for, or wasn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What may be spent in a minute.
    pub limit: u64,
    /// What may still be spent now.
    pub remaining: u64,
    /// In how many seconds all of it may be spent again.
    pub reset: u64,
    /// When it wasn't paid for: in how many seconds it can be.
    pub wait: Option<u64>,
}

/// The budgets. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Books>);

#[derive(Debug)]
struct Books {
    allowances: Allowances,
    clock: Arc<dyn Clock>,
    ledger: Mutex<Ledger>,
    redis: Option<RedisBudget>,
}

impl Budget {
    /// Counts in Redis when there is one, else in this process alone.
    #[must_use]
    pub fn new(allowances: Allowances, clock: Arc<dyn Clock>, redis: Option<RedisBudget>) -> Self {
        Self(Arc::new(Books {
            allowances,
            clock,
            ledger: Mutex::default(),
            redis,
        }))
    }

    /// Pays for an operation, if the budget has room for it. None where there is no limit.
    pub async fn spend(&self, payer: Payer, cost: u64) -> Option<Standing> {
        let limit = payer.allowance(self.0.allowances);
        if limit == 0 {
            return None;
        }
        if let Some(redis) = &self.0.redis
            && let Some(standing) = redis.spend(payer, limit, cost).await
        {
            return Some(standing);
        }
        let now = self.0.clock.now().timestamp();
        let mut ledger = self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        Some(ledger.spend(payer, now, limit, cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_one_ipv6_network_pay_together() {
        let payer = |address: &str| Payer::of(&Viewer::anonymous(), Some(address.parse().unwrap()));
        assert_eq!(payer("2001:db8::1"), payer("2001:db8::ffff:0:0:2"));
        assert_ne!(payer("2001:db8::1"), payer("2001:db8:0:1::1"));
        assert_eq!(payer("::ffff:192.0.2.1"), payer("192.0.2.1"));
        assert_ne!(payer("192.0.2.1"), payer("192.0.2.2"));
    }
}

//! Passwords: bcrypt, as slowly for a user who does not exist as for one who does.
//!
//! Comparing takes some 50 ms of CPU, so what was compared before is remembered by digest (not the
//! password itself), wrong ones apart from right ones so that nobody can push a right one out; and
//! one comparison runs at a time, off the reactor. A wrong password costs the same whoever it was
//! given for: as much as that of the user whose hash is the dearest.

use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bcrypt::HashParts;
use sha2::{Digest, Sha256};

/// How many outcomes of each kind are remembered, as in Prometheus's toolkit.
const REMEMBERED_MAX: usize = 100;
/// What a password is compared with where there is no user: salt and digest of nothing.
const NOBODY: &str = "QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

/// Users with the hashes of their passwords.
#[derive(Clone, Debug, Default)]
pub(super) struct Users {
    hashes: BTreeMap<String, String>,
    cost_max: u32,
}

impl Users {
    /// The hashes were checked by [`cost`].
    pub(super) fn new(hashes: BTreeMap<String, String>) -> Self {
        let cost_max = hashes.values().filter_map(|hash| cost(hash)).max().unwrap_or(0);
        Self { hashes, cost_max }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

/// How dear a hash is (each step doubles it); `None` if it is none of bcrypt.
pub(super) fn cost(hash: &str) -> Option<u32> {
    HashParts::from_str(hash).ok().map(|parts| parts.get_cost()).filter(|c| (4..=31).contains(c))
}

/// Compares and remembers.
#[derive(Default)]
pub(super) struct Passwords {
    right: Mutex<HashSet<[u8; 32]>>,
    wrong: Mutex<HashSet<[u8; 32]>>,
    one_at_a_time: tokio::sync::Mutex<()>,
    /// Rounds of bcrypt so far.
    rounds: Arc<AtomicU64>,
}

impl Passwords {
    /// Whether this is the user's password.
    pub(super) async fn verify(&self, users: &Arc<Users>, user: &str, password: &str) -> bool {
        let key = key(users.hashes.get(user).map_or("", String::as_str), user, password);
        if let Some(known) = self.remembered(&key) {
            return known;
        }
        let _turn = self.one_at_a_time.lock().await;
        // Whoever waited may be told what the one before found out.
        if let Some(known) = self.remembered(&key) {
            return known;
        }
        let (users, user, password) = (users.clone(), user.to_owned(), password.to_owned());
        let rounds = self.rounds.clone();
        let compared = tokio::task::spawn_blocking(move || {
            let (is_right, spent) = compare(&users, &user, &password);
            rounds.fetch_add(spent, Ordering::Relaxed);
            is_right
        });
        let is_right = compared.await.unwrap_or(false);
        self.remember(key, is_right);
        is_right
    }

    fn remembered(&self, key: &[u8; 32]) -> Option<bool> {
        let has = |set: &Mutex<HashSet<_>>| {
            set.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
        };
        has(&self.right).then_some(true).or_else(|| has(&self.wrong).then_some(false))
    }

    fn remember(&self, key: [u8; 32], is_right: bool) {
        let set = if is_right { &self.right } else { &self.wrong };
        let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
        if set.len() >= REMEMBERED_MAX {
            set.clear();
        }
        set.insert(key);
    }

    #[cfg(test)]
    fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }
}

/// Whether it is right, and how many rounds it took.
fn compare(users: &Users, user: &str, password: &str) -> (bool, u64) {
    let hash = users.hashes.get(user);
    let of_nobody = nobody(users.cost_max);
    let compared_with = hash.unwrap_or(&of_nobody);
    let own = cost(compared_with).unwrap_or(users.cost_max);
    let is_right = bcrypt::verify(password, compared_with).unwrap_or(false) && hash.is_some();
    let mut rounds = 1 << own;
    if !is_right {
        // 2^own and then 2^own, 2^(own+1) … add up to 2^max.
        for cost in own..users.cost_max {
            let _same_answer = bcrypt::verify(password, &nobody(cost));
            rounds += 1 << cost;
        }
    }
    (is_right, rounds)
}

/// The hash of nobody's password, at a cost.
fn nobody(cost: u32) -> String {
    format!("$2y${cost:02}${NOBODY}")
}

/// Stands for a hash with a user and a password; a change of the hash makes it another one.
fn key(hash: &str, user: &str, password: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [hash, user, password] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Costs 4 and 6: 16 and 64 rounds.
    fn users() -> Arc<Users> {
        let hash = |password, cost| bcrypt::hash(password, cost).expect("hashes");
        let hashes = [("cheap".to_owned(), hash("a", 4)), ("dear".to_owned(), hash("b", 6))];
        Arc::new(Users::new(hashes.into()))
    }

    #[tokio::test]
    async fn a_wrong_password_costs_the_same_for_everybody_and_each_once() {
        let (users, passwords) = (users(), Passwords::default());
        let rows = [
            ("cheap", "x", false, 64),
            ("dear", "x", false, 64),
            ("nobody", "x", false, 64),
            ("", "", false, 64),
            ("nobody", "fakepassword", false, 64),
            ("dear", "a", false, 64),
            ("cheap", "a", true, 16),
            ("dear", "b", true, 64),
        ];
        for round in 0..2 {
            for (user, password, expected, rounds) in rows {
                let before = passwords.rounds();
                assert_eq!(passwords.verify(&users, user, password).await, expected, "{user}");
                let spent = passwords.rounds() - before;
                assert_eq!(spent, if round == 0 { rounds } else { 0 }, "{user} {password}");
            }
        }
    }

    #[tokio::test]
    async fn many_wrong_ones_forget_no_right_one() {
        let hashes = [("u".to_owned(), bcrypt::hash("p", 4).expect("hashes"))];
        let (users, passwords) = (Arc::new(Users::new(hashes.into())), Passwords::default());
        assert!(passwords.verify(&users, "u", "p").await);
        for wrong in 0..2 * REMEMBERED_MAX {
            assert!(!passwords.verify(&users, "u", &wrong.to_string()).await);
        }
        assert!(passwords.wrong.lock().expect("not poisoned").len() <= REMEMBERED_MAX);
        let before = passwords.rounds();
        assert!(passwords.verify(&users, "u", "p").await);
        assert_eq!(passwords.rounds(), before);
        // Another password for the user makes the old one wrong at once.
        let other = [("u".to_owned(), bcrypt::hash("q", 4).expect("hashes"))];
        assert!(!passwords.verify(&Arc::new(Users::new(other.into())), "u", "p").await);
    }

    #[test]
    fn hashes_of_bcrypt() {
        let rows = [
            ("$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi", Some(10)),
            ("$2a$04$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi", Some(4)),
            ("$2b$12$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi", Some(12)),
            ("$2y$99$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi", None),
            ("$1$salt$hash", None),
            ("secret", None),
            ("", None),
        ];
        for (hash, expected) in rows {
            assert_eq!(cost(hash), expected, "{hash}");
        }
    }
}

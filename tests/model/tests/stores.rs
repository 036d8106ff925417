//! The rules of a store are two texts, the model's and the SQL of each store: the same random moves on all of them come
//! out the same. With `APB_TEST_POSTGRES` (`python3 tests/support/postgres.py COMMAND…`) on a server as well.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)]

use std::path::PathBuf;

use atlas_model::bounds::{Bounds, FIRST, SECOND, TICK, VOID, Wanted};
use atlas_model::store::{Claim, Owner, Store};
use atlas_model::subjects::{Subjects, millis};
use atlas_postbooking::exploration::{Happening, Subject};
use atlas_postbooking::exploration_store::{Call, Read, RealStore};

/// A call that goes on in each of the stores.
struct Caller {
    number: u8,
    calls: Vec<Call>,
    /// The row that it has: its key, the model's version, and the row of each store.
    has: Option<(u8, u8, Vec<Read>)>,
}

impl Caller {
    fn new(number: u8, stores: usize) -> Caller {
        Caller { number, calls: (0..stores).map(|_| Call::new()).collect(), has: None }
    }

    fn owner(&self) -> Owner {
        Owner { host: self.number, dead: false, until: 0 }
    }
}

struct Play {
    subjects: Subjects,
    model: Store,
    real: Vec<RealStore>,
    callers: Vec<Caller>,
    next: u8,
    wanted: [Wanted; 2],
    /// The ids of the two cases, which are their keys as well, and their order: of this play alone.
    ids: [String; 2],
    order: String,
    moves: Vec<String>,
}

impl Play {
    fn new(real: Vec<RealStore>, prefix: &str, wanted: [Wanted; 2]) -> Play {
        let callers = (0..2).map(|number| Caller::new(number, real.len())).collect();
        let subjects = Subjects::new(Bounds::new(VOID, VOID).settle());
        let model = Store::default();
        let [ids @ .., order] = ["A", "B", "O"].map(|name| format!("{prefix}{name}"));
        Play { subjects, model, real, callers, next: 2, wanted, ids, order, moves: Vec::new() }
    }

    fn id(&self, key: u8) -> &str {
        &self.ids[key as usize]
    }

    fn fresh(&self, key: u8, after: bool) -> Subject {
        let wanted = self.wanted[key as usize];
        let after = after.then(|| self.id(1 - key));
        Subject::new(wanted.kind, self.id(key), &self.order, wanted.passengers, after, millis(0)).unwrap()
    }

    /// One random move; what comes of it is the same everywhere.
    fn one(&mut self, chance: &mut fastrand::Rng) {
        let who = chance.usize(..self.callers.len());
        let key = chance.u8(..2);
        let (owner, has) = (self.callers[who].owner(), self.callers[who].has.take());
        match (chance.u8(..10), has) {
            // The process ends, and another one comes.
            (0, _) => {
                self.moves.push(format!("{who} ends"));
                let gone = self.callers[who].number;
                for owner in self.model.rows.iter_mut().flatten().filter_map(|row| row.owner.as_mut()) {
                    owner.dead |= owner.host == gone;
                }
                self.callers[who] = Caller::new(self.next, self.real.len());
                self.next += 1;
            }
            (1..=2, None) => {
                let after = chance.bool();
                let case = self.fresh(key, after);
                self.moves.push(format!("{who} claims {key}, after {after}"));
                let id = self.subjects.number(&case);
                let done = self.model.claim(&self.subjects, key, id, owner);
                let word = match done {
                    Claim::New(_) => "new",
                    Claim::Known => "known",
                    Claim::Held => "held",
                };
                let mut reads = Vec::new();
                for (store, call) in self.real.iter().zip(&self.callers[who].calls) {
                    let (real, read) = store.claim(&case, call).unwrap();
                    assert_eq!(real, word, "{:?}", self.moves);
                    reads.extend(read);
                }
                if let Claim::New(token) = done {
                    self.callers[who].has = Some((key, token, reads));
                }
            }
            (_, None) => {
                self.moves.push(format!("{who} takes the lease of {key}"));
                let token = self.model.lease(key, owner, |owner| !owner.dead);
                let mut reads = Vec::new();
                for (store, call) in self.real.iter().zip(&self.callers[who].calls) {
                    let read = store.lease(self.id(key), call).unwrap();
                    assert_eq!(read.is_some(), token.is_some(), "{:?}", self.moves);
                    reads.extend(read);
                }
                self.callers[who].has = token.map(|token| (key, token, reads));
            }
            (1, Some((key, token, reads))) => {
                self.moves.push(format!("{who} gives {key} back"));
                self.model.release(key, token);
                for (store, read) in self.real.iter().zip(&reads) {
                    store.release(read).unwrap();
                }
            }
            (2..=3, Some((key, token, reads))) => {
                let after = chance.bool();
                let case = self.fresh(key, after);
                self.moves.push(format!("{who} claims {key} again, after {after}"));
                let id = self.subjects.number(&case);
                let done = self.model.reclaim(&self.subjects, key, id, token, owner);
                let word = match done {
                    Some(Claim::New(_)) => "known",
                    Some(_) => "held",
                    None => "lost",
                };
                let mut again = Vec::new();
                for ((store, call), read) in self.real.iter().zip(&self.callers[who].calls).zip(&reads) {
                    let (real, read) = store.reclaim(&read.with(&case), call).unwrap();
                    assert_eq!(real, word, "{:?}", self.moves);
                    again.extend(read);
                }
                self.callers[who].has = match done {
                    Some(Claim::New(token)) => Some((key, token, again)),
                    Some(_) => Some((key, token, reads)),
                    None => None,
                };
            }
            (word, Some((key, token, reads))) => {
                let happening = happening(chance, self.wanted[key as usize].kind);
                let ends = word < 5;
                self.moves.push(format!("{who} writes {key} after {happening:?}, ends {ends}"));
                let at = millis(0) + i64::from(chance.u8(..9)) * TICK;
                let case = reads[0].case().step(&happening, at, 3 * TICK).0;
                let id = self.subjects.number(&case);
                let saved = self.model.save(&self.subjects, key, id, token, (!ends).then_some(owner));
                let mut again = Vec::new();
                for ((store, call), read) in self.real.iter().zip(&self.callers[who].calls).zip(&reads) {
                    let read = store.save(&read.with(&case), (!ends).then_some(call)).unwrap();
                    assert_eq!(read.is_some(), saved.is_some(), "{:?}", self.moves);
                    again.extend(read);
                }
                self.callers[who].has = saved.filter(|_| !ends).map(|token| (key, token, again));
            }
        }
        self.compare();
    }

    /// Both rows, their owners, and who is in whose way.
    fn compare(&self) {
        for key in 0..2u8 {
            let row = self.model.rows[key as usize];
            for store in &self.real {
                let loaded = store.load(self.id(key)).unwrap();
                let seen = loaded.as_ref().map(|(case, owned)| (self.subjects.number(&case.stored()), *owned));
                let wanted = row.map(|row| (row.case, row.owner.is_some_and(|owner| !owner.dead)));
                assert_eq!(seen, wanted, "{:?}", self.moves);
                if let (Some((case, _)), Some(row)) = (loaded, row) {
                    let rival = self.model.rival(&self.subjects, key, row.case);
                    assert_eq!(store.rival(&case).unwrap().is_some(), rival.is_some(), "{:?}", self.moves);
                }
            }
        }
    }
}

fn happening(chance: &mut fastrand::Rng, kind: &'static str) -> Happening {
    match chance.u8(..9) {
        0..3 => Happening::Drive,
        3 => Happening::Order(2),
        4 => Happening::Quote("q".to_owned()),
        5 => Happening::Entries(vec!["q".to_owned()]),
        6 => Happening::Entries(Vec::new()),
        7 => Happening::Lost(kind),
        _ => Happening::Paced(kind),
    }
}

fn config(store: &str) -> String {
    format!(r#"{{"baseUrl":"http://127.0.0.1:9","clientId":"demo","clientSecret":"s","account":"a","store":{store}}}"#)
}

#[test]
fn the_stores_agree_with_the_model() {
    let server = std::env::var("APB_TEST_POSTGRES").ok();
    if server.is_none() {
        println!("SKIPPED: no server, see tests/support/postgres.py; the file alone");
    }
    for seed in 0..if server.is_some() { 12 } else { 24 } {
        let mut chance = fastrand::Rng::with_seed(seed);
        let file: PathBuf = std::env::temp_dir().join(format!("apb-model-{}-{seed}.db", std::process::id()));
        let mut real = vec![RealStore::open(&config(&format!(r#"{{"path":{file:?}}}"#))).unwrap()];
        if let Some(url) = &server {
            real.push(RealStore::open(&config(&format!(r#"{{"url":{url:?}}}"#))).unwrap());
        }
        let wanted = if seed % 3 == 0 { [FIRST, SECOND] } else { [VOID, VOID] };
        let mut play = Play::new(real, &format!("{}-{seed}-", std::process::id()), wanted);
        for _ in 0..50 {
            play.one(&mut chance);
        }
        drop(play);
        for end in ["", "-wal", "-shm", "-witness"] {
            let _ = std::fs::remove_file(format!("{}{end}", file.display()));
        }
    }
}

//! Opening for reading only, while a writer moves samples from the log to blocks.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tsdb::disk::sim::SimDisk;
use tsdb::disk::{Disk, File, Lock, Mapped};
use tsdb::{Db, Storage};

use crate::store::{commit_row, content, dir, open, options};

/// A disk on which a writer flushes whenever somebody looks for log segments.
struct Changing {
    disk: SimDisk,
    writer: Db,
    /// Look-ups that change nothing, then those that do.
    quiet: AtomicUsize,
    changes: AtomicUsize,
    written: Mutex<i64>,
}

impl Changing {
    fn write(&self) {
        let mut at = self.written.lock().unwrap();
        *at += 1;
        commit_row(&self.writer, "t=1", &["__name__=a"], *at, &[*at as f64]);
        self.writer.flush_all().unwrap();
        commit_row(&self.writer, "t=1", &["__name__=b"], *at, &[*at as f64]);
    }
}

fn is_used_up(count: &AtomicUsize) -> bool {
    let less = |left: usize| left.checked_sub(1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_err()
}

impl Disk for Changing {
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        if path.ends_with("wal") && is_used_up(&self.quiet) && !is_used_up(&self.changes) {
            self.write();
        }
        self.disk.list(path)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.disk.open(path)
    }

    fn map(&self, path: &Path) -> io::Result<Arc<dyn Mapped>> {
        self.disk.map(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        panic!("makes {}", path.display())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        panic!("makes {}", path.display())
    }

    fn hard_link(&self, _: &Path, path: &Path) -> io::Result<()> {
        panic!("links {}", path.display())
    }

    fn rename(&self, path: &Path, _: &Path) -> io::Result<()> {
        panic!("renames {}", path.display())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        panic!("removes {}", path.display())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        panic!("syncs {}", path.display())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        panic!("locks {}", path.display())
    }
}

#[test]
fn what_changes_meanwhile_is_read_anew() {
    // Look-ups that change nothing, those that do, and whether it opens in the end.
    let rows = [(0, 0, true), (0, 1, true), (1, 1, true), (2, 1, true), (3, 1, true), (2, 3, true)];
    for row @ (quiet, changes, opens) in rows.into_iter().chain([(0, 99, false)]) {
        let disk = SimDisk::new(1);
        let (writer, _) = open(&disk);
        let (quiet, changes) = (AtomicUsize::new(quiet), AtomicUsize::new(changes));
        let changing = Changing { disk, writer, quiet, changes, written: Mutex::new(0) };
        (0..3).for_each(|_| changing.write());
        let changing = Arc::new(changing);
        let opened = Db::open_read_only(changing.clone(), dir(), options());
        assert_eq!(opened.is_ok(), opens, "{row:?}");
        let Ok((db, recovery)) = opened else { continue };
        assert!(!recovery.is_damaged(), "{recovery:?}");
        assert_eq!(content(&db), content(&changing.writer));
    }
}

#[test]
fn nothing_is_changed_and_a_commit_is_refused() {
    let disk = SimDisk::new(1);
    let (writer, _) = open(&disk);
    commit_row(&writer, "t=1", &["__name__=a"], 1, &[1.0]);
    writer.flush_all().unwrap();
    commit_row(&writer, "t=1", &["__name__=a"], 2, &[2.0]);
    let files = disk.files();
    let block = files.keys().find(|path| path.extension().is_some_and(|own| own == "block"));
    let block = block.unwrap().to_owned();
    for (name, bytes) in [("0000000077.block.new", "unfinished"), ("0000000077.block", "damaged")] {
        disk.create(&block.with_file_name(name)).unwrap().append(bytes.as_bytes()).unwrap();
    }
    let before = (disk.files(), disk.operations());
    let (db, recovery) = Db::open_read_only(Arc::new(disk.clone()), dir(), options()).unwrap();
    assert_eq!((recovery.blocks, recovery.dropped.len()), (1, 1), "{recovery:?}");
    assert_eq!(content(&db), content(&writer));
    let mut appender = db.appender();
    let labels = crate::store::labels("__name__=c");
    appender.sample(&labels, tsdb::model::Timestamp::from_ms(3), tsdb::Cell::float(1.0)).unwrap();
    let refused = appender.commit().unwrap_err().to_string();
    assert!(refused.contains("the store is open for reading only"), "{refused}");
    assert!(db.flush_all().is_err());
    db.close().unwrap();
    assert_eq!((disk.files(), disk.operations()), before);
}

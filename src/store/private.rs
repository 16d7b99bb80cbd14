//! Folders and files that only the service's user may read: captures hold what a
//! network carries, passwords of SNMP among it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

#[cfg(unix)]
use std::fs::{Permissions, set_permissions};
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};

/// Creates a folder and those above it, where they are missing. The folder itself is
/// made private where it was there and is ours; one above it, which others may share,
/// is left as it is.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(path)?;
    #[cfg(unix)]
    if let Err(error) = set_permissions(path, Permissions::from_mode(0o700)) {
        // A volume that belongs to somebody else, and that we may use all the same.
        tracing::debug!(%error, path = %path.display(), "cannot make a folder private");
    }
    Ok(())
}

/// Creates an empty file where none is; the database's other files get its mode.
pub fn create_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Opens a file for writing, and empties it. A new one is private.
pub fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_created_is_private() {
        let base = std::env::temp_dir().join(format!("replyscope-private-{}", std::process::id()));
        let (folder, shared) = (base.join("data/captures"), base.join("shared"));
        create_folder(&folder).unwrap();
        assert_eq!((mode(&base.join("data")), mode(&folder)), (0o700, 0o700));
        let file = base.join("data/file");
        create_file(&file).unwrap();
        fs::write(&file, b"kept").unwrap();
        create_file(&file).unwrap();
        assert_eq!((mode(&file), fs::read(&file).unwrap()), (0o600, b"kept".to_vec()));
        let emptied = base.join("data/emptied");
        for _ in 0..2 {
            open_file(&emptied).unwrap().write_all(b"once").unwrap();
        }
        assert_eq!((mode(&emptied), fs::read(&emptied).unwrap()), (0o600, b"once".to_vec()));
        // A folder of others stays as it is; ours in it is private, also afterwards.
        fs::create_dir(&shared).unwrap();
        fs::create_dir(shared.join("captures")).unwrap();
        for path in [shared.clone(), shared.join("captures")] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        create_folder(&shared.join("captures")).unwrap();
        assert_eq!((mode(&shared), mode(&shared.join("captures"))), (0o755, 0o700));
        fs::remove_dir_all(&base).unwrap();
    }
}

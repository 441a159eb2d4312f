//! Files and folders that hold rows: only their owner may read them.
//!
//! Must not know: what is in them.

use std::fs::{DirBuilder, File};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Makes a folder that nobody else may look into, with the folders that it is in. One that is there already must be this user's: whoever
/// owns it can replace what is in it.
pub fn make_folder(folder: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // SAFETY: geteuid takes nothing, changes nothing and cannot fail.
    check_owner(folder, unsafe { libc::geteuid() })
}

fn check_owner(folder: &Path, user: u32) -> Result<()> {
    let owner = std::fs::metadata(folder)?.uid();
    if owner != user {
        let why = format!("the folder {} belongs to another user ({owner}, not {user})", folder.display());
        return Err(Error::new(ErrorKind::PermissionDenied, why));
    }
    Ok(())
}

/// Makes a file, which must not be there, to be written and read by its owner.
pub fn new_file(path: &Path) -> Result<File> {
    File::options().create_new(true).read(true).write(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_may_not_read_and_a_strangers_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("blocks/0");
        make_folder(&folder).unwrap();
        make_folder(&folder).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&folder), mode(folder.parent().unwrap())), (0o700, 0o700));
        let file = folder.join("a");
        new_file(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
        assert!(new_file(&file).is_err());
        let me = std::fs::metadata(&folder).unwrap().uid();
        let error = check_owner(&folder, me + 1).unwrap_err();
        assert!(error.to_string().contains("belongs to another user"), "{error}");
    }
}

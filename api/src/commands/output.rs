//! Where a command writes what it found: a file that is there whole or not at all, and for its owner alone.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Stdout, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// What is written, until it is finished. A file takes the place of an older one then, and not before; dropped unfinished, it
/// leaves everything as it was.
#[derive(Debug)]
pub struct Output(To);

#[derive(Debug)]
enum To {
    /// Nowhere in particular: it is printed.
    Printed(Stdout),
    /// A file beside the one it will be. Nobody but its owner may read it.
    Beside(BufWriter<NamedTempFile>, PathBuf),
    /// Something that isn't a file, such as a pipe.
    Device(File),
}

impl Output {
    /// Writes to a file, or prints when there is none.
    pub fn to(path: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = path else {
            return Ok(Self(To::Printed(io::stdout())));
        };
        if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
            return Ok(Self(To::Device(File::options().write(true).open(path)?)));
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or_else(|| Path::new("."));
        let beside = NamedTempFile::new_in(folder)?;
        Ok(Self(To::Beside(BufWriter::new(beside), path)))
    }

    /// Everything is written.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        if let To::Beside(written, path) = self.0 {
            let file = written
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            To::Printed(out) => out.write(bytes),
            To::Beside(out, _) => out.write(bytes),
            To::Device(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            To::Printed(out) => out.flush(),
            To::Beside(out, _) => out.flush(),
            To::Device(out) => out.flush(),
        }
    }
}

//! Options by name.
use crate::error::{check, Result};
use crate::handle::{c_path, c_string, owned, text, viewed};
use crate::sys;
use std::path::Path;

owned!(
    /// A value for every option. Where an `Option<&ConfigView>` is asked for, `None` stands for the
    /// defaults, or for the options of the model that the call is about.
    Config, alterrec_config, alterrec_config_free
);
viewed!(
    /// The options of a [`Config`], or those that another handle lends.
    Config, ConfigView, alterrec_config
);

impl ConfigView {
    /// The value of an option, in the form that [`Config::set`] reads.
    pub fn get(&self, key: &str) -> Result<&str> {
        let key = c_string(key)?;
        let mut value = std::ptr::null();
        check(unsafe { sys::alterrec_config_get(&mut value, self.as_ptr(), key.as_ptr()) })?;
        Ok(unsafe { text(value) }.unwrap_or(""))
    }

    /// Writes every option as YAML.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path)?;
        check(unsafe { sys::alterrec_config_write(self.as_ptr(), path.as_ptr()) })
    }

    /// A copy.
    pub fn to_config(&self) -> Result<Config> {
        Config::make(|made| unsafe { sys::alterrec_config_clone(made, self.as_ptr()) })
    }
}

impl Config {
    /// Every option at its default.
    pub fn new() -> Result<Config> {
        Config::make(|made| unsafe { sys::alterrec_config_create(made) })
    }

    /// The defaults, with what the YAML text says.
    pub fn from_text(yaml: &str) -> Result<Config> {
        let mut config = Config::new()?;
        config.read_text(yaml)?;
        Ok(config)
    }

    /// Sets an option from the value's text.
    pub fn set(&mut self, key: &str, value: impl ToString) -> Result<()> {
        let (key, value) = (c_string(key)?, c_string(&value.to_string())?);
        check(unsafe { sys::alterrec_config_set(self.as_ptr_mut(), key.as_ptr(), value.as_ptr()) })
    }

    /// Sets options from a YAML file.
    pub fn read(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path)?;
        check(unsafe { sys::alterrec_config_read(self.as_ptr_mut(), path.as_ptr()) })
    }

    /// Sets options from YAML.
    pub fn read_text(&mut self, yaml: &str) -> Result<()> {
        check(unsafe {
            sys::alterrec_config_read_text(self.as_ptr_mut(), yaml.as_ptr().cast(), yaml.len())
        })
    }

    fn as_ptr_mut(&mut self) -> *mut sys::alterrec_config {
        self.0.as_ptr()
    }
}

/// One row of the option table.
#[derive(Clone, Copy, Debug)]
pub struct OptionRow {
    /// Such as "model.dim".
    pub key: &'static str,
    /// "int", "float", "bool", "text", "choice", "list" or "ranges".
    pub kind: &'static str,
    /// As text.
    pub default: &'static str,
    /// What it may be.
    pub range: &'static str,
    /// One line.
    pub help: &'static str,
}

/// Every option there is.
pub fn options() -> Result<Vec<OptionRow>> {
    (0..unsafe { sys::alterrec_option_count() })
        .map(|index| unsafe {
            let mut row: sys::alterrec_option = std::mem::zeroed();
            row.struct_size = size_of::<sys::alterrec_option>() as u32;
            check(sys::alterrec_option_describe(&mut row, index))?;
            Ok(OptionRow {
                key: text(row.key).unwrap_or(""),
                kind: text(row.r#type).unwrap_or(""),
                default: text(row.default_value).unwrap_or(""),
                range: text(row.range).unwrap_or(""),
                help: text(row.help).unwrap_or(""),
            })
        })
        .collect()
}

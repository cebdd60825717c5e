//! The exit codes of the program.

/// A shell adds this to a signal's number to get the exit code of a program that the signal terminated.
const SIGNAL_BASE: u8 = 128;

/// An exit code; unlike the standard library's it gives its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitCode(u8);

impl ExitCode {
    /// The program did what it was asked for.
    pub const SUCCESS: Self = Self(0);
    /// The program failed.
    pub const FAILURE: Self = Self(1);

    /// The exit code of a program that a signal terminated.
    pub const fn of_signal(number: u8) -> Self {
        Self(SIGNAL_BASE + number)
    }

    /// The number that the operating system gets.
    pub const fn number(self) -> u8 {
        self.0
    }
}

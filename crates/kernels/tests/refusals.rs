//! Sizes that do not fit are refused by a panic, before anything is read or written beyond a slice.

use kernels::attention::{Head, attend};
use kernels::gemm::panel_matrix::PanelMatrix;
use kernels::gemm::{PANEL, ROWS, fp32, int8, panel_count};
use kernels::rows::Strided;

fn refused(work: impl FnOnce()) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err()
}

#[test]
fn sizes_that_do_not_fit_are_refused_before_anything_is_read() {
    for instructions in fp32::InstructionSet::available() {
        let multiply = |floats: &[f32], stride, panel: &[f32], rows: usize| {
            refused(|| {
                let mut products = vec![[0.0; PANEL]; rows];
                let rows = Strided { floats, stride };
                instructions.multiply(rows, panel, &[0.0; PANEL], &mut products);
            })
        };
        let (floats, panel) = ([0.0; 64], [0.0; 8 * PANEL]);
        assert!(!multiply(&floats, 8, &panel, 8));
        assert!(multiply(&floats, 8, &panel, 9));
        assert!(multiply(&floats, 7, &panel, 2));
        assert!(!multiply(&floats, 8, &panel, 0));
        assert!(multiply(&floats, 8, &panel[1..], 1));
        // The distance of the last row wraps around.
        assert!(multiply(&floats, usize::MAX / 4 + 1, &panel, 5));
        assert!(multiply(&floats, usize::MAX, &panel, 2));
    }
    for instructions in int8::InstructionSet::available() {
        let multiply = |rows: &[u8], panel: &[i8]| {
            let mut sums = [[0; PANEL]; ROWS];
            refused(|| instructions.multiply(rows, panel, &[0; PANEL], &mut sums))
        };
        let (rows, panel) = ([0; 13 * 8], [0; 8 * PANEL]);
        assert!(!multiply(&rows[..12 * 8], &panel));
        assert!(multiply(&rows, &panel));
        assert!(multiply(&rows[..9], &panel));
        assert!(multiply(&rows[..8], &panel[1..]));
        assert!(multiply(&rows[..8], &[]));
        assert!(multiply(&rows[..6], &panel[..6 * PANEL]));
    }
}

#[test]
fn rows_and_columns_that_a_matrix_has_not_are_refused() {
    let (rows, width) = (4, 40);
    let panels = vec![1.0; panel_count(width) * rows * PANEL];
    let matrix = PanelMatrix::new(&panels, width).unwrap();
    let copy_rows = |matrix: &PanelMatrix<'_>, first, count| {
        refused(|| matrix.copy_rows(first, &mut vec![0.0; count * width]))
    };
    assert!(!copy_rows(&matrix, 1, 3));
    assert!(copy_rows(&matrix, 2, 3));
    assert!(copy_rows(&matrix, usize::MAX, 1));
    let without_rows = PanelMatrix::new(&[], width).unwrap();
    assert!(!copy_rows(&without_rows, 0, 0));
    assert!(copy_rows(&without_rows, 0, 1));

    let copy_columns = |first, columns: std::ops::Range<usize>, count| {
        refused(|| {
            let mut floats = vec![0.0; count * columns.len()];
            matrix.copy_columns(first, columns, &mut floats);
        })
    };
    assert!(!copy_columns(1, 30..40, 3));
    assert!(copy_columns(2, 30..40, 3));
    assert!(copy_columns(usize::MAX, 30..40, 1));
    // Within the padding of the last panel, and beyond it.
    assert!(copy_columns(0, 30..41, 1));
    assert!(copy_columns(0, 60..70, 1));
}

#[test]
fn a_head_outside_of_its_matrix_is_refused() {
    let (hidden, tokens, size) = (16, 4, 8);
    let panels = vec![1.0; panel_count(3 * hidden) * tokens * PANEL];
    let matrix = PanelMatrix::new(&panels, 3 * hidden).unwrap();
    let attend = |start, tokens, column, queries| {
        refused(|| {
            let mut context = vec![0.0; queries * size];
            let output = context.chunks_exact_mut(size).collect();
            attend(
                &matrix,
                Head {
                    start,
                    tokens,
                    column,
                    context: output,
                },
            );
        })
    };
    assert!(!attend(1, 3, 8, 3));
    assert!(!attend(1, 3, 8, 1));
    // Tokens that the matrix has not.
    assert!(attend(2, 3, 8, 3));
    assert!(attend(2, 3, 8, 1));
    assert!(attend(usize::MAX, 2, 8, 1));
    assert!(attend(0, usize::MAX, 8, 1));
    // Columns of another projection.
    assert!(attend(1, 3, 9, 3));
    assert!(attend(1, 3, usize::MAX - 8, 3));
    // Query positions of another sequence.
    assert!(attend(1, 2, 8, 3));
}

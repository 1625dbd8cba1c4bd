//! Figures of several rounds as a table.

use std::fmt;

/// A table in Markdown: least, median and greatest of each row, and whether the
/// median reaches the row's goal.
#[derive(Debug, Default)]
pub struct Table {
    unit: &'static str,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    least: f64,
    median: f64,
    greatest: f64,
    goal: Option<f64>,
}

impl Table {
    pub(super) fn new(unit: &'static str) -> Self {
        Table {
            unit,
            rows: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, what: &str, mut figures: Vec<f64>, goal: Option<f64>) {
        figures.sort_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        self.rows.push(Row {
            what: what.to_owned(),
            least: at(0),
            median: at(figures.len() / 2),
            greatest: at(figures.len().saturating_sub(1)),
            goal,
        });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} | least | median | greatest | goal |", self.unit)?;
        writeln!(f, "|---|---|---|---|---|")?;
        for row in &self.rows {
            let Row {
                what,
                least,
                median,
                greatest,
                goal,
            } = row;
            write!(f, "| {what} | {least:.2} | {median:.2} | {greatest:.2} | ")?;
            match goal {
                Some(goal) if median > goal => writeln!(f, "≤ {goal}: missed |")?,
                Some(goal) => writeln!(f, "≤ {goal}: reached |")?,
                None => writeln!(f, "|")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_show_their_median_and_whether_it_reaches_the_goal() {
        let mut table = Table::new("ms");
        table.add("a", vec![3.0, 1.0, 2.0], Some(2.0));
        table.add("b", vec![3.0, 1.0, 2.5], Some(2.0));
        table.add("c", vec![1.0], None);
        let lines: Vec<String> = table.to_string().lines().map(String::from).collect();
        assert_eq!(
            lines,
            [
                "| ms | least | median | greatest | goal |",
                "|---|---|---|---|---|",
                "| a | 1.00 | 2.00 | 3.00 | ≤ 2: reached |",
                "| b | 1.00 | 2.50 | 3.00 | ≤ 2: missed |",
                "| c | 1.00 | 1.00 | 1.00 | |",
            ]
        );
    }
}

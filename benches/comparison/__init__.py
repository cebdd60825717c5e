"""The comparison with other runtimes: what is asked, who answers, and what is written."""

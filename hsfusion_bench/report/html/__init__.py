"""A report as one HTML page that opens without a network: `page` gathers what it says, `render` writes it."""

"""What every local server is made of: processes, installations, HTTP, certificates, seeding."""

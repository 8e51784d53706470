"""Campaigns: certificates for a ward, an office or the whole city from one file, in waves."""

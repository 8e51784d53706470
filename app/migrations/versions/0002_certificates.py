"""Authorities, requests, certificates, revocations, CRLs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('authority',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('certificate_der', sa.LargeBinary(), nullable=False),
    sa.Column('key_reference', sa.Text(), nullable=True),
    sa.Column('shards', sa.Integer(), nullable=False),
    sa.Column('issuer_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['issuer_id'], ['authority.id'], name=op.f('fk_authority_issuer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_authority')),
    sa.UniqueConstraint('name', name=op.f('uq_authority_name'))
    )
    op.create_table('blocked_key',
    sa.Column('spki_sha256', sa.Text(), nullable=False),
    sa.Column('blocked_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('spki_sha256', name=op.f('pk_blocked_key'))
    )
    op.create_table('timestamp_clock',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('newest', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_timestamp_clock'))
    )
    op.create_table('certificate',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('authority_id', sa.Uuid(), nullable=False),
    sa.Column('serial', sa.LargeBinary(), nullable=False),
    sa.Column('shard', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('profile', sa.Text(), nullable=False),
    sa.Column('profile_digest', sa.Text(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=True),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('search_name', sa.Text(), nullable=False),
    sa.Column('not_before', sa.DateTime(timezone=True), nullable=False),
    sa.Column('not_after', sa.DateTime(timezone=True), nullable=False),
    sa.Column('spki_sha256', sa.Text(), nullable=False),
    sa.Column('tbs_der', sa.LargeBinary(), nullable=False),
    sa.Column('der', sa.LargeBinary(), nullable=True),
    sa.Column('sha256', sa.Text(), nullable=True),
    sa.Column('key_reference', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['agency_id'], ['agency.id'], name=op.f('fk_certificate_agency_id')),
    sa.ForeignKeyConstraint(['authority_id'], ['authority.id'], name=op.f('fk_certificate_authority_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_certificate_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificate')),
    sa.UniqueConstraint('authority_id', 'serial', name=op.f('uq_certificate_authority_id_serial')),
    sa.UniqueConstraint('sha256', name=op.f('uq_certificate_sha256'))
    )
    op.create_index(op.f('ix_certificate_agency_id'), 'certificate', ['agency_id'], unique=False)
    op.create_index(op.f('ix_certificate_person_id'), 'certificate', ['person_id'], unique=False)
    op.create_index(op.f('ix_certificate_search_name'), 'certificate', ['search_name'], unique=False)
    op.create_index(op.f('ix_certificate_serial'), 'certificate', ['serial'], unique=False)
    op.create_index(op.f('ix_certificate_spki_sha256'), 'certificate', ['spki_sha256'], unique=False)
    op.create_table('crl',
    sa.Column('authority_id', sa.Uuid(), nullable=False),
    sa.Column('shard', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('der', sa.LargeBinary(), nullable=False),
    sa.Column('this_update', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_update', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['authority_id'], ['authority.id'], name=op.f('fk_crl_authority_id')),
    sa.PrimaryKeyConstraint('authority_id', 'shard', 'number', name=op.f('pk_crl'))
    )
    op.create_index(op.f('ix_crl_next_update'), 'crl', ['next_update'], unique=False)
    op.create_table('certificate_challenge',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('value_sha256', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_certificate_challenge_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificate_challenge')),
    sa.UniqueConstraint('value_sha256', name=op.f('uq_certificate_challenge_value_sha256'))
    )
    op.create_table('certificate_request',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=True),
    sa.Column('profile', sa.Text(), nullable=False),
    sa.Column('spki_der', sa.LargeBinary(), nullable=False),
    sa.Column('spki_sha256', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='requested', nullable=False),
    sa.Column('requested_by', sa.Uuid(), nullable=False),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sa.Uuid(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('supersedes_id', sa.Uuid(), nullable=True),
    sa.Column('certificate_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('decided_by <> requested_by', name=op.f('ck_certificate_request_decided_by_another')),
    sa.ForeignKeyConstraint(['agency_id'], ['agency.id'], name=op.f('fk_certificate_request_agency_id')),
    sa.ForeignKeyConstraint(['certificate_id'], ['certificate.id'], name=op.f('fk_certificate_request_certificate_id')),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_certificate_request_decided_by')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_certificate_request_person_id')),
    sa.ForeignKeyConstraint(['requested_by'], ['account.id'], name=op.f('fk_certificate_request_requested_by')),
    sa.ForeignKeyConstraint(['supersedes_id'], ['certificate.id'], name=op.f('fk_certificate_request_supersedes_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificate_request'))
    )
    op.create_index(op.f('ix_certificate_request_state_requested_at'), 'certificate_request', ['state', 'requested_at'], unique=False)
    op.create_index('uq_certificate_request_open_person', 'certificate_request', ['person_id'], unique=True, postgresql_where=sa.text("state IN ('requested', 'approved')"))
    op.create_table('revocation',
    sa.Column('certificate_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sa.Integer(), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('invalidity_date', sa.DateTime(timezone=True), nullable=True),
    sa.Column('entry_der', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['certificate_id'], ['certificate.id'], name=op.f('fk_revocation_certificate_id')),
    sa.PrimaryKeyConstraint('certificate_id', name=op.f('pk_revocation'))
    )
    op.execute(sa.schema.CreateSequence(sa.Sequence("timestamp_serial")))


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")

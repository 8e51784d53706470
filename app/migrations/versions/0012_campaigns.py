"""Campaigns and their rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('campaign',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('profile', sa.Text(), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('failure', sa.Text(), nullable=True),
    sa.Column('created_by', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('file_sha256', sa.Text(), nullable=False),
    sa.Column('file_version', sa.Integer(), server_default='1', nullable=False),
    sa.Column('rows_checked', sa.Integer(), server_default='0', nullable=False),
    sa.Column('check_permille', sa.Integer(), server_default='0', nullable=False),
    sa.Column('check_started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rows_accepted', sa.Integer(), server_default='0', nullable=False),
    sa.Column('rows_rejected', sa.Integer(), server_default='0', nullable=False),
    sa.Column('rows_done', sa.Integer(), server_default='0', nullable=False),
    sa.Column('rows_failed', sa.Integer(), server_default='0', nullable=False),
    sa.Column('quota_per_day', sa.Integer(), nullable=True),
    sa.Column('invitation_days', sa.Integer(), server_default='30', nullable=False),
    sa.Column('letters_only', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('act_id', sa.Uuid(), nullable=True),
    sa.Column('content_digest', sa.Text(), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('purged_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['agency_id'], ['agency.id'], name=op.f('fk_campaign_agency_id')),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_campaign_created_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaign'))
    )
    op.create_index(op.f('ix_campaign_agency_id'), 'campaign', ['agency_id'], unique=False)
    op.create_index(op.f('ix_campaign_state'), 'campaign', ['state'], unique=False)
    op.create_table('campaign_outcome',
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('result', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('person_id', sa.Uuid(), nullable=True),
    sa.Column('certificate_id', sa.Uuid(), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('campaign_id', 'number', name=op.f('pk_campaign_outcome'))
    )
    op.create_index(op.f('ix_campaign_outcome_campaign_id_done_at'), 'campaign_outcome', ['campaign_id', 'done_at'], unique=False)
    op.create_table('campaign_wave',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.Text(), server_default='waiting', nullable=False),
    sa.Column('quota', sa.Integer(), nullable=True),
    sa.Column('cursor', sa.Integer(), server_default='0', nullable=False),
    sa.Column('rows_accepted', sa.Integer(), server_default='0', nullable=False),
    sa.Column('rows_done', sa.Integer(), server_default='0', nullable=False),
    sa.Column('rows_failed', sa.Integer(), server_default='0', nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['agency_id'], ['agency.id'], name=op.f('fk_campaign_wave_agency_id')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_campaign_wave_campaign_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaign_wave')),
    sa.UniqueConstraint('campaign_id', 'agency_id', name=op.f('uq_campaign_wave_campaign_id_agency_id')),
    sa.UniqueConstraint('campaign_id', 'position', name=op.f('uq_campaign_wave_campaign_id_position'))
    )
    op.create_table('enrolment_invitation',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('row_number', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('token_sha256', sa.LargeBinary(), nullable=False),
    sa.Column('token_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('wrong_answers', sa.Integer(), server_default='0', nullable=False),
    sa.Column('challenge_sha256', sa.LargeBinary(), nullable=True),
    sa.Column('request_id', sa.Uuid(), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('printed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('by_letter', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('asked_again_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_enrolment_invitation_campaign_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_enrolment_invitation_person_id')),
    sa.ForeignKeyConstraint(['request_id'], ['certificate_request.id'], name=op.f('fk_enrolment_invitation_request_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_enrolment_invitation')),
    sa.UniqueConstraint('campaign_id', 'row_number', name=op.f('uq_enrolment_invitation_campaign_id_row_number')),
    sa.UniqueConstraint('token_sha256', name=op.f('uq_enrolment_invitation_token_sha256'))
    )
    op.create_table('campaign_batch',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('wave_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('numbers', postgresql.ARRAY(sa.Integer()), nullable=False),
    sa.Column('intents', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('prove_us', sa.BigInteger(), nullable=True),
    sa.Column('prepare_us', sa.BigInteger(), nullable=True),
    sa.Column('sign_us', sa.BigInteger(), nullable=True),
    sa.Column('database_us', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("(state = 'intended') = (intents IS NOT NULL)", name=op.f('ck_campaign_batch_intents_while_intended')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_campaign_batch_campaign_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['wave_id'], ['campaign_wave.id'], name=op.f('fk_campaign_batch_wave_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaign_batch'))
    )
    op.create_index('ix_campaign_batch_open', 'campaign_batch', ['campaign_id', 'state'], unique=False, postgresql_where=sa.text("state <> 'done'"))
    op.create_table('campaign_row',
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('wave_id', sa.Uuid(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('number_index', sa.LargeBinary(), nullable=True),
    sa.Column('tail_index', sa.LargeBinary(), nullable=True),
    sa.Column('surname', sa.Text(), nullable=True),
    sa.Column('given_name', sa.Text(), nullable=True),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('title', sa.Text(), nullable=True),
    sa.Column('csr_der', sa.LargeBinary(), nullable=True),
    sa.Column('spki_der', sa.LargeBinary(), nullable=True),
    sa.Column('spki_sha256', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_campaign_row_campaign_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['wave_id'], ['campaign_wave.id'], name=op.f('fk_campaign_row_wave_id')),
    sa.PrimaryKeyConstraint('campaign_id', 'number', name=op.f('pk_campaign_row'))
    )
    op.create_index(op.f('ix_campaign_row_campaign_id_wave_id_number'), 'campaign_row', ['campaign_id', 'wave_id', 'number'], unique=False)
    op.create_index('uq_campaign_row_key', 'campaign_row', ['campaign_id', 'spki_sha256'], unique=True, postgresql_where=sa.text("state = 'accepted' AND spki_sha256 IS NOT NULL"))
    op.create_index('ix_campaign_row_rejected', 'campaign_row', ['campaign_id', 'reason'], unique=False, postgresql_where=sa.text("state = 'rejected'"))
    op.create_index('uq_campaign_row_person', 'campaign_row', ['campaign_id', 'number_index'], unique=True, postgresql_where=sa.text("state = 'accepted'"))
    op.create_index(
        "ix_notice_failed",
        "notice",
        ["subject_kind", "subject_id"],
        unique=False,
        postgresql_where=sa.text("state = 'failed'"),
    )
    # Invited by a campaign, a person asks without an account; the approved campaign is who allowed it.
    op.alter_column("certificate_request", "requested_by", nullable=True)


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")

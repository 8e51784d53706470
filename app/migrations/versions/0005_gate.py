"""Buildings, checkpoints, devices, admissions and scans."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('gate_publication',
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('content_sha256', sa.LargeBinary(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_update', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'version', name=op.f('pk_gate_publication'))
    )
    op.create_table('checkpoint',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('building_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('zone', sa.Integer(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['building_id'], ['building.id'], name=op.f('fk_checkpoint_building_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_checkpoint')),
    sa.UniqueConstraint('building_id', 'name', name=op.f('uq_checkpoint_building_id_name'))
    )
    op.create_table('device',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('checkpoint_id', sa.Uuid(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('code_sha256', sa.LargeBinary(), nullable=True),
    sa.Column('code_expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('token_sha256', sa.LargeBinary(), nullable=True),
    sa.Column('enrolled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['checkpoint_id'], ['checkpoint.id'], name=op.f('fk_device_checkpoint_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device')),
    sa.UniqueConstraint('code_sha256', name=op.f('uq_device_code_sha256')),
    sa.UniqueConstraint('token_sha256', name=op.f('uq_device_token_sha256'))
    )
    op.create_table('admission',
    sa.Column('pass_id', sa.Uuid(), nullable=False),
    sa.Column('slot', sa.Integer(), nullable=False),
    sa.Column('scan_id', sa.Uuid(), nullable=False),
    sa.Column('checkpoint_id', sa.Uuid(), nullable=False),
    sa.Column('admitted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['checkpoint_id'], ['checkpoint.id'], name=op.f('fk_admission_checkpoint_id')),
    sa.ForeignKeyConstraint(['pass_id'], ['pass.id'], name=op.f('fk_admission_pass_id')),
    sa.PrimaryKeyConstraint('pass_id', 'slot', name=op.f('pk_admission')),
    sa.UniqueConstraint('scan_id', name=op.f('uq_admission_scan_id'))
    )
    op.create_table('scan',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('device_id', sa.Uuid(), nullable=False),
    sa.Column('checkpoint_id', sa.Uuid(), nullable=False),
    sa.Column('pass_id', sa.Uuid(), nullable=True),
    sa.Column('operator_account_id', sa.Uuid(), nullable=True),
    sa.Column('scanned_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('device_outcome', sa.Text(), nullable=False),
    sa.Column('device_reason', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('face', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['checkpoint_id'], ['checkpoint.id'], name=op.f('fk_scan_checkpoint_id')),
    sa.ForeignKeyConstraint(['device_id'], ['device.id'], name=op.f('fk_scan_device_id')),
    sa.ForeignKeyConstraint(['operator_account_id'], ['account.id'], name=op.f('fk_scan_operator_account_id')),
    sa.ForeignKeyConstraint(['pass_id'], ['pass.id'], name=op.f('fk_scan_pass_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scan'))
    )
    op.create_index(op.f('ix_scan_checkpoint_id_received_at'), 'scan', ['checkpoint_id', 'received_at'], unique=False)
    op.create_index(op.f('ix_scan_pass_id'), 'scan', ['pass_id'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")

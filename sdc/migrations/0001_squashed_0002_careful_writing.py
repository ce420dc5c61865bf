import django.db.models.deletion
import django.utils.timezone
import sdc.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('sdc', '0001_initial'), ('sdc', '0002_careful_writing')]

    initial = True

    dependencies = [
        ('classify', '0001_squashed_0005_frames'),
        ('crawler', '0001_squashed_0005_learning'),
        ('projects', '0001_squashed_0006_words'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Claim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('wiki', models.CharField(max_length=16)),
                ('page_id', models.PositiveBigIntegerField()),
                ('qid', models.CharField(max_length=16)),
                ('state', models.CharField(choices=[('free', 'not sent'), ('sending', 'being sent'), ('written', 'on the wiki'), ('present', 'was already there'), ('removed', 'removed by somebody'), ('undoing', 'being taken back'), ('undone', 'taken back'), ('rejected', 'rejected by a moderator')], default='free', max_length=8)),
                ('held', models.BooleanField(default=False)),
                ('held_reason', models.CharField(blank=True, max_length=255)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('held_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('photo', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='crawler.photo')),
                ('project', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='claims', to='projects.project')),
            ],
            options={
                'indexes': [models.Index(fields=['project', 'state', 'id'], name='claim_project')],
                'constraints': [models.UniqueConstraint(fields=('wiki', 'page_id', 'qid'), name='one_claim')],
            },
        ),
        migrations.CreateModel(
            name='ClaimAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('q', 'queued'), ('r', 'running'), ('d', 'done'), ('x', 'set aside'), ('s', 'stopped')], default='q', max_length=1)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error', models.CharField(blank=True, max_length=40)),
                ('error_detail', models.CharField(blank=True, max_length=255)),
                ('guid', models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ('statement', models.JSONField()),
                ('sha1', models.CharField(max_length=40)),
                ('title', models.CharField(default='', max_length=255)),
                ('base_revision', models.PositiveBigIntegerField(default=0)),
                ('has_now', models.JSONField(null=True)),
                ('outcome', models.CharField(choices=[('planned', 'planned'), ('excluded', 'left out'), ('written', 'written'), ('present', 'already there'), ('skipped', 'skipped'), ('refused', 'refused')], default='planned', max_length=8)),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('revision', models.PositiveBigIntegerField(blank=True, null=True)),
                ('in_doubt', models.BooleanField(default=False)),
                ('began_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('cautions', models.CharField(blank=True, max_length=100)),
                ('claim_was', models.CharField(choices=[('free', 'not sent'), ('sending', 'being sent'), ('written', 'on the wiki'), ('present', 'was already there'), ('removed', 'removed by somebody'), ('undoing', 'being taken back'), ('undone', 'taken back'), ('rejected', 'rejected by a moderator')], default='free', max_length=8)),
                ('claim', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='sdc.claim')),
                ('label', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='classify.label')),
                ('region', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='crawler.region')),
                ('undoes', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undone_by', to='sdc.claimattempt')),
            ],
        ),
        migrations.CreateModel(
            name='EditBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(default=sdc.models.new_batch_code, max_length=12, unique=True)),
                ('wiki', models.CharField(max_length=16)),
                ('state', models.CharField(choices=[('draft', 'preview'), ('handed', 'handed over'), ('running', 'sending'), ('paused', 'paused'), ('stopped', 'stopped'), ('done', 'done')], default='draft', max_length=8)),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('resume_at', models.DateTimeField(blank=True, null=True)),
                ('turn_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('revision', models.PositiveBigIntegerField(default=0)),
                ('summary', models.CharField(max_length=400)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('kind', models.CharField(choices=[('add', 'add'), ('undo', 'take back')], default='add', max_length=4)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='projects.project')),
                ('undoes', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undone_by', to='sdc.editbatch')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'edit batches',
                'indexes': [models.Index(fields=['project', 'id'], name='batch_project'), models.Index(fields=['state', 'resume_at'], name='batch_state')],
            },
        ),
        migrations.CreateModel(
            name='Edit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('add', 'added'), ('remove', 'taken back')], max_length=6)),
                ('wiki', models.CharField(max_length=16)),
                ('page_id', models.PositiveBigIntegerField()),
                ('qid', models.CharField(max_length=16)),
                ('guid', models.CharField(max_length=64)),
                ('revision', models.PositiveBigIntegerField(null=True)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('answer', models.JSONField(default=dict)),
                ('summary', models.CharField(max_length=400)),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='edits', to='sdc.claimattempt')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='edits', to=settings.AUTH_USER_MODEL)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='edits', to='sdc.editbatch')),
            ],
            options={
                'indexes': [models.Index(fields=['wiki', 'page_id'], name='edit_page')],
                'constraints': [models.UniqueConstraint(fields=('guid', 'kind'), name='one_edit')],
            },
        ),
        migrations.AddField(
            model_name='claimattempt',
            name='batch',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='sdc.editbatch'),
        ),
        migrations.CreateModel(
            name='Watch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('q', 'queued'), ('r', 'running'), ('d', 'done'), ('x', 'set aside'), ('s', 'stopped')], default='q', max_length=1)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error', models.CharField(blank=True, max_length=40)),
                ('error_detail', models.CharField(blank=True, max_length=255)),
                ('checks', models.PositiveSmallIntegerField(default=0)),
                ('checked_at', models.DateTimeField(blank=True, null=True)),
                ('finding', models.CharField(choices=[('stands', 'stands'), ('removed', 'removed by somebody'), ('changed', 'changed by somebody'), ('gone', 'the file is gone')], default='stands', max_length=8)),
                ('revision', models.PositiveBigIntegerField(blank=True, null=True)),
                ('by', models.CharField(blank=True, max_length=255)),
                ('comment', models.CharField(blank=True, max_length=500)),
                ('found_at', models.DateTimeField(blank=True, null=True)),
                ('looked_at', models.DateTimeField(blank=True, null=True)),
                ('claim_attempt', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='watch', to='sdc.claimattempt')),
                ('looked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'watches',
                'indexes': [models.Index(fields=['state', 'due_at'], name='watch_due'), models.Index(fields=['finding', 'looked_at'], name='watch_finding')],
            },
        ),
        migrations.CreateModel(
            name='Writer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('q', 'queued'), ('r', 'running'), ('d', 'done'), ('x', 'set aside'), ('s', 'stopped')], default='q', max_length=1)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error', models.CharField(blank=True, max_length=40)),
                ('error_detail', models.CharField(blank=True, max_length=255)),
                ('wiki', models.CharField(max_length=16)),
                ('asked_at', models.DateTimeField(blank=True, null=True)),
                ('autoconfirmed', models.BooleanField(default=False)),
                ('edit_count', models.PositiveIntegerField(default=0)),
                ('edit_limit', models.FloatField(blank=True, null=True)),
                ('looked_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='writers', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'due_at'], name='writer_due')],
                'constraints': [models.UniqueConstraint(fields=('wiki', 'user'), name='one_writer')],
            },
        ),
        migrations.CreateModel(
            name='WritingStop',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('wiki', models.CharField(max_length=16)),
                ('scope', models.CharField(choices=[('all', 'everything'), ('project', 'a project'), ('user', 'a user')], max_length=8)),
                ('source', models.CharField(choices=[('moderator', 'a moderator'), ('share', 'too much of it was removed'), ('page', 'a page of the wiki')], max_length=10)),
                ('reason', models.CharField(blank=True, max_length=255)),
                ('active_key', models.CharField(editable=False, max_length=80, null=True, unique=True)),
                ('placed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('lifted_at', models.DateTimeField(blank=True, null=True)),
                ('lifted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('placed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='writing_stops', to='projects.project')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='writing_stops', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['wiki', 'lifted_at'], name='stop_lifted')],
            },
        ),
        migrations.AddIndex(
            model_name='claimattempt',
            index=models.Index(fields=['batch', 'outcome', 'id'], name='attempt_batch'),
        ),
        migrations.AddIndex(
            model_name='claimattempt',
            index=models.Index(fields=['state', 'due_at'], name='attempt_due'),
        ),
        migrations.AddConstraint(
            model_name='claimattempt',
            constraint=models.UniqueConstraint(fields=('batch', 'claim'), name='one_attempt_a_batch'),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sdc", "0004_append_only_through_relations")]

    operations = [
        migrations.AddField(
            model_name="writer",
            name="desk",
            field=models.CharField(blank=True, max_length=16),
        ),
    ]

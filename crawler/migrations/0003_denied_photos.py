from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crawler", "0002_initial")]

    operations = [
        migrations.AlterField(
            model_name="photo",
            name="state",
            field=models.CharField(
                choices=[
                    ("live", "live"),
                    ("withdrawn", "withdrawn from the wiki"),
                    ("denied", "left alone on request"),
                ],
                default="live",
                max_length=10,
            ),
        ),
    ]

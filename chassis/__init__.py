"""What any process needs: no word of the product's domain stands in here."""

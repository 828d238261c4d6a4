"""What is worth a look in labelled images, before anything is learned from them."""

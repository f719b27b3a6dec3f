function fifth = known_fifth()
    fifth = 1 / 5;
end

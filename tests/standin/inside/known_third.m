function third = known_third()
    third = 1 / 3;
end
